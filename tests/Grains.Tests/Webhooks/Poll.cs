namespace VoiceGrains.Grains.Tests.Webhooks;

internal static class Poll
{
    /// <summary>Fails after half a minute, with what the state was then.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> state)
    {
        var deadline = DateTimeOffset.UtcNow.AddSeconds(30);
        while (!await condition())
        {
            if (DateTimeOffset.UtcNow > deadline) Assert.Fail(state());
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
