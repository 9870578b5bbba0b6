namespace VoiceGrains.WebRtc.Tests.Sctp;

internal static class Until
{
    /// <summary>Waits for what other threads do; fails after 20 s, which only a lost event takes.</summary>
    internal static async Task TrueAsync(Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, $"Never became true: {what}");
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }
}
