using System.Diagnostics;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests;

/// <summary>Looks again and again until something holds, as long as <see cref="LiveCall.Patience"/> lasts.</summary>
internal static class Poll
{
    /// <param name="story">What there is instead, for failures.</param>
    public static Task UntilAsync(Func<bool> condition, Func<string> story) => UntilAsync(() => Task.FromResult(condition()), story);

    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> story)
    {
        for (var since = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(10, SiloFixture.Cancel))
            Assert.True(Stopwatch.GetElapsedTime(since) < LiveCall.Patience, story());
    }
}
