using VoiceGrains.Media.Tests.Speech;
using VoiceGrains.Tests.Fakes.Network;

namespace VoiceGrains.Media.Tests.Jitter;

/// <summary>What is heard through a network that delays, loses and drifts.</summary>
public sealed class AudioReceiverTests
{
    private const int RateHz = 16_000;
    private const int ToneHz = 440;
    private readonly FakeClock _clock = new();

    [Theory]
    [InlineData(8_000, 0, 0, 10)]
    [InlineData(12_000, 0, 30, 20)]
    [InlineData(16_000, 2, 30, 20)]
    [InlineData(16_000, 5, 30, 10)]
    [InlineData(24_000, 5, 60, 10)]
    [InlineData(48_000, 10, 100, 20)]
    public void Speech_KeepsItsLevelAndItsWords(int rateHz, double lossPercent, int jitterMs, int pieceMs)
    {
        var packets = JitteryNetwork.Encode(AllSpeech(TimeSpan.FromSeconds(12)), new() { SampleRateHz = RateHz, ExpectedLossPercent = (int)lossPercent });
        using var receiver = new AudioReceiver(new() { SampleRateHz = rateHz }, _clock);
        var heard = Network(lossPercent, jitterMs, pieceMs).Carry(packets, receiver, TimeSpan.FromSeconds(1));

        var clean = JitteryNetwork.Decode(packets, rateHz);
        Assert.InRange(Energy(heard) - Energy(clean), -1, 1);
        Assert.InRange(EnvelopeCorrelation(clean, heard, rateHz), 0.95, 1);
        var statistics = receiver.Statistics;
        Assert.Equal(0, statistics.Discarded);
        Assert.InRange(statistics.Late, 0, jitterMs / 30);      // a few at first, before the jitter is known
        Assert.InRange(statistics.Lost - statistics.Late, packets.Length - statistics.Packets - 2, packets.Length - statistics.Packets);     // that the last ones are lost nothing tells
        Assert.InRange(statistics.TargetDelayMs, jitterMs, jitterMs + pieceMs + 10);
        if (lossPercent > 0)
            Assert.InRange(statistics.FecRecovered, statistics.Lost / 2, statistics.Lost);      // the others were followed by another loss, or not worth a copy
    }

    [Fact]
    public void WithoutTrouble_WhatIsHeardIsWhatLibopusDecodes_BitForBit()
    {
        var packets = JitteryNetwork.Encode(AllSpeech(TimeSpan.FromSeconds(10)), new() { SampleRateHz = RateHz });
        using var receiver = new AudioReceiver(new() { SampleRateHz = RateHz, InitialDelay = TimeSpan.FromMilliseconds(20) }, _clock);
        var heard = Network(pieceMs: 10).Carry(packets, receiver, TimeSpan.FromSeconds(1));
        var clean = JitteryNetwork.Decode(packets, RateHz);
        // The sound begins with a fade of 5 ms and ends with concealment.
        var begin = heard.AsSpan().IndexOf(clean.AsSpan(80, 320)) - 80;
        Assert.InRange(begin, 20 * 16, 40 * 16);
        Assert.True(heard.AsSpan(begin + 80, clean.Length - 80).SequenceEqual(clean.AsSpan(80)));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 60, 0)]
    [InlineData(0, 10, 500)]
    [InlineData(0, 10, -500)]
    [InlineData(5, 30, 0)]
    public void ATone_HasNoGaps_AndNoClicksButLosses(double lossPercent, int jitterMs, double driftPpm)
    {
        var packets = Tone(TimeSpan.FromSeconds(20), RateHz);
        using var receiver = new AudioReceiver(new() { SampleRateHz = RateHz }, _clock);
        var heard = Network(lossPercent, jitterMs, 10, driftPpm).Carry(packets, receiver, TimeSpan.FromSeconds(1));

        var clean = JitteryNetwork.Decode(packets, RateHz);
        Assert.InRange(Energy(heard) - Energy(clean), -1, 1);
        var level = Pcm.Dbfs(clean);
        var quiet = heard.AsSpan(RateHz, 18 * RateHz).ToArray().Chunk(RateHz / 50).Count(window => Pcm.Dbfs(window) < level - 20);
        Assert.InRange(quiet, 0, lossPercent == 0 ? 0 : 3);     // two packets lost in a row
        if (lossPercent == 0)
            Assert.InRange(Roughness(heard, RateHz), 0, 1.5 * Roughness(clean, RateHz));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(-200)]
    public void AnHourWithDriftingClocks_NeitherDriftsNorCrackles(double driftPpm)
    {
        const int rateHz = 8_000;
        var minute = Tone(TimeSpan.FromMinutes(1) + TimeSpan.FromSeconds(1), rateHz)[50..];      // so that its end goes on with its begin
        var hour = Enumerable.Range(0, 180_000).Select(i => new SentPacket(TimeSpan.FromMilliseconds(20 * i), (ushort)i, (uint)(960 * i), minute[i % minute.Length].Opus)).ToArray();
        using var receiver = new AudioReceiver(new() { SampleRateHz = rateHz }, _clock);
        var piece = new short[rateHz / 50];
        var (pieces, least, most, roughest, quietest) = (0, double.MaxValue, 0.0, 0.0, 0.0);
        Network(jitterMs: 8, driftPpm: driftPpm).Carry(hour, receiver, TimeSpan.Zero, () =>
        {
            receiver.Take(piece);
            if (++pieces < 500)
                return;     // until the network is known
            (least, most) = (Math.Min(least, receiver.Statistics.DelayMs), Math.Max(most, receiver.Statistics.DelayMs));
            roughest = Math.Max(roughest, Roughness(piece, rateHz));
            quietest = Math.Min(quietest, Pcm.Dbfs(piece));
        });

        var statistics = receiver.Statistics;
        Assert.Equal((0, 0, 0), (statistics.Lost, statistics.Discarded, statistics.ConcealedSamples));
        Assert.InRange(least, 20, most);
        Assert.InRange(most, least, 50);
        Assert.InRange(roughest, 0, 1.5 * Roughness(JitteryNetwork.Decode([.. minute, .. minute], rateHz), rateHz));
        Assert.InRange(quietest, -17, -13);
        var (gained, expected) = ((statistics.RemovedSamples - statistics.InsertedSamples) / (double)rateHz, 3_600 * driftPpm / 1e6);
        Assert.InRange(gained, expected - 0.05, expected + 0.05);
    }

    [Fact]
    public void TheDelay_GrowsAtOnceWithTheJitter_AndShrinksSlowly()
    {
        var packets = Tone(TimeSpan.FromSeconds(40), RateHz);
        using var receiver = new AudioReceiver(new() { SampleRateHz = RateHz }, _clock);
        var random = new Random(3);
        var targets = new List<double>();
        var piece = new short[RateHz / 50];
        new JitteryNetwork(_clock.Advance) { Delay = at => at.TotalSeconds is >= 10 and < 20 ? TimeSpan.FromMilliseconds(120 * random.NextDouble()) : TimeSpan.Zero }
            .Carry(packets, receiver, TimeSpan.Zero, () =>
            {
                receiver.Take(piece);
                targets.Add(receiver.Statistics.TargetDelayMs);
            });
        Assert.InRange(At(9.9), 20, 30);
        Assert.InRange(At(11), 110, 150);
        Assert.InRange(At(19.9), 110, 150);
        Assert.InRange(At(22), 80, 150);
        Assert.InRange(At(39.9), 20, 30);
        Assert.All(targets.Zip(targets.Skip(1)), step => Assert.InRange(step.Second - step.First, -2, 200));

        double At(double seconds) => targets[(int)(seconds * 50)];
    }

    /// <summary>The Debian recordings, one after the other.</summary>
    private static short[] AllSpeech(TimeSpan duration) =>
        [.. SpeechCorpus.Load().SelectMany(recording => recording.Samples).Take((int)(duration.TotalSeconds * RateHz))];

    private static SentPacket[] Tone(TimeSpan duration, int rateHz) => JitteryNetwork.Encode(
        [.. Enumerable.Range(0, (int)(duration.TotalSeconds * rateHz)).Select(i => (short)(8_000 * Math.Sin(i * 2 * Math.PI * ToneHz / rateHz)))],
        new() { SampleRateHz = rateHz, BitrateBps = 32_000, ExpectedLossPercent = 5, Complexity = 0 });

    /// <summary>In dB, whatever silence surrounds it.</summary>
    private static double Energy(short[] pcm) => Pcm.Dbfs(pcm) + 10 * Math.Log10(pcm.Length);

    /// <summary>The most that any sample is off what its two neighbours say that the tone is there.</summary>
    private static double Roughness(short[] pcm, int rateHz)
    {
        var (turn, most) = (2 * Math.Cos(2 * Math.PI * ToneHz / rateHz), 0.0);
        var margin = pcm.Length > rateHz * 2 ? rateHz : 1;      // the ends of a whole stream fade
        for (var i = margin; i < pcm.Length - margin; i++)
            most = Math.Max(most, Math.Abs(pcm[i - 1] - turn * pcm[i] + pcm[i + 1]));
        return most;
    }

    /// <summary>How alike the loudness of two sounds moves, at the best of the delays up to a quarter of a second.</summary>
    private static double EnvelopeCorrelation(short[] sent, short[] heard, int rateHz)
    {
        var (one, other) = (Envelope(sent), Envelope(heard));
        return Enumerable.Range(0, 25).Max(delay => Correlation(one, other[delay..]));

        double[] Envelope(short[] pcm) => [.. pcm.Chunk(rateHz / 100).Select(window => Math.Max(-60.0, Pcm.Dbfs(window)))];
    }

    private static double Correlation(double[] a, double[] b)
    {
        var count = Math.Min(a.Length, b.Length);
        var (meanOfA, meanOfB) = (a.Take(count).Average(), b.Take(count).Average());
        double product = 0, powerOfA = 0, powerOfB = 0;
        for (var i = 0; i < count; i++)
        {
            var (x, y) = (a[i] - meanOfA, b[i] - meanOfB);
            product += x * y;
            powerOfA += x * x;
            powerOfB += y * y;
        }
        return product / Math.Sqrt(powerOfA * powerOfB);
    }

    private JitteryNetwork Network(double lossPercent = 0, int jitterMs = 0, int pieceMs = 20, double driftPpm = 0) => new(_clock.Advance)
    {
        LossPercent = lossPercent,
        Jitter = TimeSpan.FromMilliseconds(jitterMs),
        Piece = TimeSpan.FromMilliseconds(pieceMs),
        DriftPpm = driftPpm,
    };
}
