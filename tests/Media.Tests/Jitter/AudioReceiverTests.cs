using VoiceGrains.Media.Tests.Speech;
using VoiceGrains.Tests.Fakes.Network;

namespace VoiceGrains.Media.Tests.Jitter;

public sealed class AudioReceiverTests : IDisposable
{
    private const int RateHz = 16_000;
    private readonly FakeClock _clock = new();
    private readonly AudioReceiver _receiver;

    public AudioReceiverTests() => _receiver = new AudioReceiver(new() { SampleRateHz = RateHz }, _clock);

    private static short[] Speech => SpeechCorpus.Load()[0].Samples;

    public void Dispose() => _receiver.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 30)]
    [InlineData(2, 30)]
    public void Speech_IsHeardWithoutGaps_AtItsLevel(double lossPercent, int jitterMs)
    {
        var packets = JitteryNetwork.Encode(Speech, new() { SampleRateHz = RateHz, ExpectedLossPercent = (int)lossPercent });
        var heard = Network(lossPercent, jitterMs).Carry(packets, _receiver, TimeSpan.FromSeconds(1));
        Assert.InRange(Energy(heard) - Energy(JitteryNetwork.Decode(packets, RateHz)), -1, 1);
        Assert.Equal(0, _receiver.Statistics.Late);
        Assert.Equal(packets.Length - _receiver.Statistics.Packets, _receiver.Statistics.Lost);
    }

    /// <summary>In dB, whatever silence surrounds it.</summary>
    private static double Energy(short[] pcm) => Pcm.Dbfs(pcm) + 10 * Math.Log10(pcm.Length);

    private JitteryNetwork Network(double lossPercent = 0, int jitterMs = 0) =>
        new(_clock.Advance) { LossPercent = lossPercent, Jitter = TimeSpan.FromMilliseconds(jitterMs) };
}
