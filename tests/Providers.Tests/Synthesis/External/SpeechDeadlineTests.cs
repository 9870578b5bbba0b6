using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Synthesis.Lmnt;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

public sealed class SpeechDeadlineTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly SpeechDeadline _deadline;

    public SpeechDeadlineTests()
        => _deadline = new("acme", new LmntOptions { FirstSoundTimeout = TimeSpan.FromSeconds(5), StallTimeout = TimeSpan.FromSeconds(2) }, _clock, CancellationToken.None);

    public void Dispose() => _deadline.Dispose();

    [Fact]
    public void WithoutText_NothingIsOwed() => AssertPatient(600);

    [Fact]
    public void TextThatIsNotSpoken_IsMissed()
    {
        _deadline.TextSent();
        AssertPatient(4);
        _deadline.TextSent();        // more text gives no more time
        AssertLate(1, "acme gave no sound within 5 s.");
    }

    [Fact]
    public void AfterTheSound_MoreIsOwedOnlyForMoreText()
    {
        _deadline.TextSent();
        Sound();
        AssertPatient(600);          // a slow language model
        _deadline.TextSent();
        AssertLate(5, "acme gave no sound within 5 s.");
    }

    [Fact]
    public void AfterTheTextsEnd_EachSilenceCounts()
    {
        _deadline.TextSent();
        _deadline.TextEnded();
        AssertPatient(4);
        Sound();
        AssertPatient(1);
        _deadline.Wait();            // a message without sound is a sign of life
        AssertPatient(1);
        AssertLate(1, "acme gave no more sound within 2 s.");
    }

    [Fact]
    public void WhileTheListenerIsBehind_TheProviderIsNotLate()
    {
        _deadline.TextSent();
        _deadline.SoundCame();
        _deadline.TextSent();
        _deadline.TextEnded();
        AssertPatient(600);
        _deadline.Wait();
        AssertPatient(4);
        AssertLate(1, "acme gave no sound within 5 s.");
    }

    private void Sound()
    {
        _deadline.SoundCame();
        _deadline.Wait();
    }

    private void AssertPatient(int seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        Assert.False(_deadline.Token.IsCancellationRequested);
    }

    private void AssertLate(int seconds, string message)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        Assert.True(_deadline.Token.IsCancellationRequested);
        var failure = Assert.IsType<ProviderException>(_deadline.Translate(new OperationCanceledException()));
        Assert.Equal((ProviderFault.TimedOut, message), (failure.Fault, failure.Message));
    }
}
