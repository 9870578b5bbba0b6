using VoiceGrains.Media.Tests.Speech;
using VoiceGrains.Tests.Fakes.Network;

namespace VoiceGrains.Media.Tests.Jitter;

/// <summary>What senders and networks do to a stream besides losing and delaying packets at random.</summary>
public sealed class AudioReceiverStreamTests : IDisposable
{
    private const int RateHz = 16_000;
    private readonly FakeClock _clock = new();
    private readonly AudioReceiver _receiver;
    private readonly short[] _piece = new short[RateHz / 50];

    public AudioReceiverStreamTests() => _receiver = new AudioReceiver(new() { SampleRateHz = RateHz }, _clock);

    private static SentPacket[] Speech { get; } = JitteryNetwork.Encode(SpeechCorpus.Load()[0].Samples, new() { SampleRateHz = RateHz });

    public void Dispose() => _receiver.Dispose();

    [Fact]
    public void BeforeAnythingComes_SilenceIsTaken()
    {
        _piece.AsSpan().Fill(1);
        _receiver.Take(_piece);
        Assert.All(_piece, sample => Assert.Equal(0, sample));
        Assert.Equal(new AudioReceiverStatistics { SilentSamples = 320, TargetDelayMs = 40 }, _receiver.Statistics);
    }

    [Fact]
    public void EveryPacketTwice_SoundsAsOnce()
    {
        var once = Carry(Speech);
        using var other = new AudioReceiver(new() { SampleRateHz = RateHz }, _clock);
        var twice = new JitteryNetwork(_clock.Advance) { DuplicatePercent = 100 }.Carry(Speech, other, TimeSpan.FromMilliseconds(500));
        Assert.Equal(once, twice);
        Assert.Equal(Speech.Length, other.Statistics.Duplicates + other.Statistics.Late);
        Assert.Equal(Speech.Length * 2, other.Statistics.Packets);
        Assert.Equal(0, other.Statistics.Lost);
    }

    [Fact]
    public void PairsThatComeTheWrongWayRound_ArePlayedTheRightWay()
    {
        var swapped = Speech.Select((packet, i) => packet with { At = packet.At + TimeSpan.FromMilliseconds(i % 2 == 0 ? 30 : 0) }).OrderBy(packet => packet.At).ToArray();
        var heard = Carry(swapped);
        Assert.Equal((0, 0), (_receiver.Statistics.Lost, _receiver.Statistics.Late));
        Assert.True(heard.AsSpan().IndexOf(JitteryNetwork.Decode(Speech, RateHz).AsSpan(8_000, 30_000)) > 0);
    }

    [Fact]
    public void AMute_IsSilent_AndSpeechAfterItIsHeardFromItsFirstSyllable()
    {
        var muted = Speech.Select((packet, i) => i < 70 ? packet : packet with { At = packet.At + TimeSpan.FromSeconds(60), Timestamp = packet.Timestamp + 60 * 48_000 }).ToArray();
        var heard = Carry(muted);
        Assert.All(heard[(2 * RateHz)..(60 * RateHz)], sample => Assert.Equal(0, sample));
        AssertPlayed(heard, 75, Speech.Length);
        Assert.Equal(0, _receiver.Statistics.Lost);
        Assert.InRange(_receiver.Statistics.ConcealedSamples, 0, 2 * 1_920 + 320);      // 100 ms and the fade, twice
        Assert.InRange(_receiver.Statistics.TargetDelayMs, 20, 60);
    }

    [Fact]
    public void AMute_ThatStopsTheSendersClock_AddsNoDelay()
    {
        // What some senders do: a track that is replaced goes on with the next number and timestamp, however late.
        var muted = Speech.Select((packet, i) => i < 70 ? packet : packet with { At = packet.At + TimeSpan.FromSeconds(3) }).ToArray();
        var heard = Carry(muted);
        AssertPlayed(heard, 75, Speech.Length);
        Assert.InRange(_receiver.Statistics.TargetDelayMs, 20, 60);
        Assert.Equal((0, 0, 0), (_receiver.Statistics.Lost, _receiver.Statistics.Late, _receiver.Statistics.Discarded));
    }

    [Fact]
    public void TimestampsThatJump_InTheMiddleOfSpeech_AreNotHeard()
    {
        var jumping = Speech.Select((packet, i) => packet with { Timestamp = packet.Timestamp + (i < 70 ? 0 : i < 100 ? 1_000_000_000 : 5_000u) }).ToArray();
        var heard = Carry(jumping);
        AssertPlayed(heard, 10, Speech.Length);
        Assert.Equal((0, 0, 0), (_receiver.Statistics.Lost, _receiver.Statistics.Late, _receiver.Statistics.Discarded));
        Assert.InRange(_receiver.Statistics.ConcealedSamples, 0, 2_240);
    }

    [Fact]
    public void AnotherStream_IsHeardAfterAReset()
    {
        Carry(Speech[..70], tailMs: 0);
        _receiver.Reset();
        var restamped = Speech.Select((packet, i) => packet with { Sequence = (ushort)(40_000 + i), Timestamp = (uint)(3_000_000_000 + 960 * i) }).ToArray();
        AssertPlayed(Carry(restamped), 10, Speech.Length);
        Assert.Equal((0, 0), (_receiver.Statistics.Lost, _receiver.Statistics.Late));
        Assert.InRange(_receiver.Statistics.Discarded, 0, 4);       // those of the old stream that waited
    }

    [Fact]
    public void ASenderThatStartsAnewUnderTheSameSsrc_IsHeard_AfterOnePacket()
    {
        var anew = Speech.Select((packet, i) => i < 70 ? packet : packet with { Sequence = (ushort)(packet.Sequence + 20_000), Timestamp = packet.Timestamp + 3_000_000_000 }).ToArray();
        AssertPlayed(Carry(anew), 80, Speech.Length);
        Assert.InRange(_receiver.Statistics.Discarded, 1, 4);
    }

    [Fact]
    public void ASenderThatCountsAgainFromALittleEarlier_IsHeard_OnceNothingElseIs()
    {
        var anew = Speech.Select((packet, i) => i < 70 ? packet : packet with { At = packet.At + TimeSpan.FromSeconds(1), Sequence = (ushort)(packet.Sequence - 500), Timestamp = packet.Timestamp - 480_000 }).ToArray();
        AssertPlayed(Carry(anew), 85, Speech.Length);
        Assert.Equal(10, _receiver.Statistics.Late);
    }

    [Fact]
    public void AStrayNumber_ChangesNothing()
    {
        var stray = Speech.Select((packet, i) => i == 70 ? packet with { Sequence = (ushort)(packet.Sequence + 20_000), Timestamp = 5 } : packet).ToArray();
        AssertPlayed(Carry(stray), 80, Speech.Length);
        Assert.Equal((1, 1), (_receiver.Statistics.Discarded, _receiver.Statistics.Lost));
    }

    [Fact]
    public void Dtx_IsTolerated()
    {
        // Silence, speech, silence: the sender leaves most packets of silence out, and its timestamps go on.
        var pcm = new short[RateHz * 3].Concat(SpeechCorpus.Load()[0].Samples).Concat(new short[RateHz * 2]).ToArray();
        var packets = JitteryNetwork.Encode(pcm, new() { SampleRateHz = RateHz, UsesDtx = true });
        var number = 0;
        var sent = packets.Where((packet, i) => !OpusPacket.IsDtx(packet.Opus) || i % 20 == 0).Select(packet => packet with { Sequence = (ushort)(100 + number++) }).ToArray();
        Assert.InRange(sent.Length, 150, packets.Length - 100);
        var heard = Carry(sent);
        Assert.Equal((0, 0, 0), (_receiver.Statistics.Lost, _receiver.Statistics.Late, _receiver.Statistics.Discarded));
        var clean = JitteryNetwork.Decode(packets, RateHz);
        Assert.InRange(Pcm.Dbfs(heard) - Pcm.Dbfs(clean) + 10 * Math.Log10((double)heard.Length / clean.Length), -1, 1);
        Assert.InRange(_receiver.Statistics.TargetDelayMs, 20, 60);
    }

    [Fact]
    public void AStall_IsCaughtUpWith_AndNoWordIsLost()
    {
        // 300 ms in which nothing comes, then everything at once.
        var stalled = new JitteryNetwork(_clock.Advance) { Delay = at => TimeSpan.FromMilliseconds(Math.Max(0, 1_300 - at.TotalMilliseconds) * (at.TotalMilliseconds >= 1_000 ? 1 : 0)) };
        stalled.Carry(Speech, _receiver, TimeSpan.Zero, () => _receiver.Take(_piece));
        var statistics = _receiver.Statistics;
        Assert.Equal((0, 0, 0), (statistics.Lost, statistics.Late, statistics.Discarded));
        Assert.InRange(statistics.DelayMs, 20, 230);
        Assert.InRange(statistics.RemovedSamples, 100 * 16, 400 * 16);
    }

    [Fact]
    public void AFlood_KeepsTheNewest_AndTheBound()
    {
        _receiver.Take(_piece);
        foreach (var packet in Enumerable.Range(0, 10).SelectMany(_ => Speech))
            _receiver.Put(packet.Sequence, packet.Timestamp, packet.Opus);
        var statistics = _receiver.Statistics;
        Assert.Equal(10 * Speech.Length - 128, statistics.Discarded);
        for (var i = 0; i < 10; i++)
            Take();
        Assert.InRange(_receiver.Statistics.Discarded + _receiver.Statistics.Duplicates, 10 * Speech.Length - 20, 10 * Speech.Length);
        Assert.InRange(_receiver.Statistics.DelayMs, 0, 240);       // the most that is aimed at
    }

    [Fact]
    public void WhatIsNoOpus_IsConcealed_AndCounted()
    {
        var broken = Speech.Select((packet, i) => i % 10 == 5 ? packet with { Opus = i % 20 == 5 ? [] : [3] } : packet).ToArray();
        var heard = Carry(broken);
        Assert.Equal(14, _receiver.Statistics.Malformed);
        Assert.Equal(0, _receiver.Statistics.Lost);
        Assert.InRange(Pcm.Dbfs(heard) - Pcm.Dbfs(Carry(Speech, anew: true)), -3, 1);
        _receiver.Put(1, 1, new byte[1_501]);
        Assert.Equal(1, _receiver.Statistics.Discarded);
    }

    [Theory]
    [InlineData(3)]         // 60 ms
    [InlineData(6)]         // 120 ms
    public void LongPackets_ArePlayedWhole(int frames)
    {
        // Several frames of the same configuration in one packet (RFC 6716 §3.2.5, code 3 with lengths).
        var packets = JitteryNetwork.Encode(SpeechCorpus.Load()[0].Samples, new() { SampleRateHz = RateHz, BitrateBps = 24_000 });
        var joined = packets.Chunk(frames).Where(chunk => chunk.Length == frames && chunk.All(packet => packet.Opus[0] == chunk[0].Opus[0]))
            .Select((chunk, i) => chunk[0] with { Sequence = (ushort)i, At = chunk[^1].At, Opus = Join(chunk) }).ToArray();
        Assert.InRange(joined.Length, packets.Length / frames * 3 / 4, packets.Length / frames);
        Carry(joined);
        Assert.Equal((0, 0, 0, 0), (_receiver.Statistics.Lost, _receiver.Statistics.Late, _receiver.Statistics.Malformed, _receiver.Statistics.Discarded));
    }

    [Fact]
    public void APacket_AllocatesNothing()
    {
        var i = 0;
        Assert.Equal(0, Allocations.Of(() =>
        {
            // Lost, doubled and played, over and over.
            var packet = Speech[i % Speech.Length];
            if (i % 20 != 7)
                _receiver.Put((ushort)i, (uint)(960 * i), packet.Opus);
            if (i % 20 == 9)
                _receiver.Put((ushort)i, (uint)(960 * i), packet.Opus);
            i++;
            Take();
        }, warmUp: 400, runs: 100));
        Assert.NotEqual(0, _receiver.Statistics.Lost);
    }

    private static byte[] Join(SentPacket[] packets)
    {
        var bytes = new List<byte> { (byte)(packets[0].Opus[0] | 3), (byte)(0x80 | packets.Length) };
        foreach (var packet in packets[..^1])
        {
            var length = packet.Opus.Length - 1;
            bytes.AddRange(length < 252 ? [(byte)length] : [(byte)(252 + (length & 3)), (byte)((length - (252 + (length & 3))) >> 2)]);
        }
        return [.. bytes, .. packets.SelectMany(packet => packet.Opus[1..])];
    }

    /// <summary>That the sound of these packets was played, all of it and at its pace.</summary>
    private static void AssertPlayed(short[] heard, int first, int end)
    {
        var clean = JitteryNetwork.Decode(Speech, RateHz);
        var (one, other) = (Envelope(clean[(first * 320)..(end * 320)]), Envelope(heard));
        var best = Enumerable.Range(0, other.Length - one.Length + 1).Min(at => one.Select((level, i) => Math.Abs(level - other[at + i])).Average());
        Assert.InRange(best, 0, 2.5);       // dB, for each 20 ms

        static double[] Envelope(short[] pcm) => [.. pcm.Chunk(320).Select(window => Math.Max(-60.0, Pcm.Dbfs(window)))];
    }

    private short[] Carry(SentPacket[] packets, int tailMs = 500, bool anew = false)
    {
        if (anew)
            _receiver.Reset();
        return new JitteryNetwork(_clock.Advance).Carry(packets, _receiver, TimeSpan.FromMilliseconds(tailMs));
    }

    private void Take()
    {
        _clock.Advance(TimeSpan.FromMilliseconds(20));
        _receiver.Take(_piece);
    }
}
