using VoiceGrains.Media;
using VoiceGrains.Providers.Recognition.Pocketsphinx;
using VoiceGrains.Tests.Fakes.Network;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Providers.Tests.Speech;

/// <summary>What a recognizer understands of speech that came as Opus over a bad network.</summary>
public sealed class LossySpeechTests : IDisposable
{
    private const int RateHz = 16_000;
    private readonly PocketsphinxRecognizer _recognizer = PocketsphinxRecognizerTests.Create(new() { MaxDecoders = 1 });

    public LossySpeechTests()
    {
        Assert.SkipUnless(_recognizer.IsAvailable(out var why), why);
        HumanSpeech.SkipUnlessInstalled();
    }

    public void Dispose() => _recognizer.Dispose();

    [Fact]
    public async Task FivePercentLoss_And30MsOfJitter_LeaveTheWords()
    {
        var spoken = HumanSpeech.GoForward();
        var packets = JitteryNetwork.Encode(spoken.Pcm, new() { SampleRateHz = RateHz, BitrateBps = 32_000, ExpectedLossPercent = 5 });
        var (errors, lost) = (0, 0L);
        for (var seed = 1; seed <= 5; seed++)
        {
            var clock = new ManualClock();
            using var receiver = new AudioReceiver(new() { SampleRateHz = RateHz }, clock);
            var network = new JitteryNetwork(clock.Advance) { LossPercent = 5, Jitter = TimeSpan.FromMilliseconds(30), Seed = seed };
            var heard = await PocketsphinxRecognizerTests.HearAsync(_recognizer, network.Carry(packets, receiver, TimeSpan.FromMilliseconds(200)));
            errors += WordErrors.Count(spoken.Said, heard);
            lost += receiver.Statistics.Lost;
            TestContext.Current.TestOutputHelper?.WriteLine($"Heard '{heard}' with {receiver.Statistics}");
        }
        Assert.InRange(lost, 15, 60);
        Assert.InRange(errors, 0, 1);       // of 20 words
    }
}
