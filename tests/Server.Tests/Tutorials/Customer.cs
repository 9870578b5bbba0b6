using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Flite;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Tutorials;

/// <summary>A customer at the counter who speaks in flite's voice: no recording of a person orders doughnuts.</summary>
internal static class Customer
{
    private const int RateHz = 16_000;

    public static async Task SayAsync(LiveCall call, string words)
    {
        await using var flite = new FliteSynthesizer(new FliteOptions(), NullLoggerFactory.Instance);
        Assert.SkipUnless(flite.IsAvailable(out var why), why);
        var pcm = new List<short>();
        await foreach (var chunk in flite.SynthesizeAsync(new SynthesisRequest("rms", RateHz, "en"), Words(words), TestContext.Current.CancellationToken))
        {
            Assert.Equal(RateHz, chunk.SampleRateHz);
            pcm.AddRange(chunk.Pcm.Span);
        }
        call.Say([.. pcm]);
    }

    private static async IAsyncEnumerable<string> Words(string words)
    {
        await Task.CompletedTask;
        yield return words;
    }
}
