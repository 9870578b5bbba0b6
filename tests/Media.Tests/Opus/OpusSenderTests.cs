using VoiceGrains.Media.Tests.Speech;

namespace VoiceGrains.Media.Tests.Opus;

public sealed class OpusSenderTests : IDisposable
{
    private readonly FakeClock _clock = new();
    private readonly List<(byte[] Opus, uint Timestamp, bool Marker)> _sent = [];
    private readonly OpusSender _sender;

    public OpusSenderTests() => _sender = new(
        new() { Encoder = new() { SampleRateHz = 24_000 }, FirstTimestamp = uint.MaxValue - 959 },
        (opus, timestamp, marker) => _sent.Add((opus.ToArray(), timestamp, marker)),
        _clock);

    public void Dispose() => _sender.Dispose();

    [Fact]
    public void AFrame_IsSentEvery20Ms_WithOrWithoutSound()
    {
        for (var i = 0; i < 100; i++)
            Tick(i % 2 == 0 ? 10 : 12);      // a pacer is sometimes a little late
        Assert.Equal(55, _sent.Count);
        Assert.Equal(Enumerable.Range(0, 55).Select(i => (uint)(960 * i) - 960), _sent.Select(packet => packet.Timestamp));
        Assert.Equal([true, .. Enumerable.Repeat(false, 54)], _sent.Select(packet => packet.Marker));
        Assert.Equal(55, _sender.Packets);
        Assert.Equal(0, _sender.PlayedSamples);
        Assert.InRange(Pcm.Dbfs(Decode()), float.NegativeInfinity, -80);
    }

    [Fact]
    public void Speech_WrittenAheadOfTime_ArrivesWhole_BetweenSilence()
    {
        var speech = SpeechCorpus.Resample(SpeechCorpus.Load()[0].Samples, 16_000, 24_000);
        var written = 0;
        for (var tick = 0; tick < 320; tick++)
        {
            if (tick >= 10 && written < speech.Length && _sender.QueuedSamples <= 960)
            {
                var frame = speech.AsSpan(written, Math.Min(480, speech.Length - written));
                Assert.True(_sender.TryWrite(frame));
                written += frame.Length;
            }
            Tick(10);
        }
        Assert.Equal(speech.Length, _sender.PlayedSamples);
        var heard = Decode();
        Assert.InRange(Pcm.Dbfs(heard) + 10 * Math.Log10((double)heard.Length / speech.Length) - Pcm.Dbfs(speech), -1, 1);
        Assert.InRange(Pcm.Dbfs(heard.AsSpan(0, 2_000)), float.NegativeInfinity, -70);
        Assert.Equal(960u, _sent.Zip(_sent.Skip(1), (a, b) => b.Timestamp - a.Timestamp).Distinct().Single());
    }

    [Fact]
    public void AfterLongSilence_SpeechSoundsAsIfThereHadBeenNone()
    {
        var speech = SpeechCorpus.Resample(SpeechCorpus.Load()[0].Samples, 16_000, 24_000);
        using var encoder = new OpusEncoder(new() { SampleRateHz = 24_000 });
        using var decoder = new OpusDecoder(24_000);
        var (packet, pcm, fresh) = (new byte[OpusEncoder.MaxPacketBytes], new short[480], new List<short>());
        foreach (var frame in new short[7_200].Concat(speech).Chunk(480).Where(frame => frame.Length == 480))
        {
            decoder.Decode(packet.AsSpan(0, encoder.Encode(frame, packet)), pcm);
            fresh.AddRange(pcm);
        }
        for (var tick = 0; tick < 500; tick++)
            Tick(20);
        foreach (var frame in speech.Chunk(480))
        {
            Assert.True(_sender.TryWrite(frame));
            Tick(20);
        }
        var heard = Decode();
        Assert.InRange(Pcm.Dbfs(heard.AsSpan(20 * 480, 480 * 480)), float.NegativeInfinity, -80);
        Assert.True(_sent[100].Opus.AsSpan().SequenceEqual(_sent[499].Opus));
        var after = heard[(500 * 480)..].Chunk(480).Zip(fresh.ToArray()[7_200..].Chunk(480));
        Assert.All(after, pair => Assert.InRange(Math.Max(-50, Pcm.Dbfs(pair.First)) - Math.Max(-50, Pcm.Dbfs(pair.Second)), -2, 2));
    }

    [Fact]
    public void Clear_DropsWhatWaits_AndWhatIsWrittenThenIsSent()
    {
        Assert.True(_sender.TryWrite(new short[2_000]));
        Tick(0);
        Assert.Equal(480, _sender.PlayedSamples);
        _sender.Clear();
        _sender.Clear();
        Assert.Equal(0, _sender.QueuedSamples);
        Assert.True(_sender.TryWrite(new short[600]));
        Assert.Equal(600, _sender.QueuedSamples);
        for (var i = 0; i < 3; i++)
            Tick(20);
        Assert.Equal(480 + 600, _sender.PlayedSamples);
        Assert.Equal(0, _sender.QueuedSamples);
    }

    [Fact]
    public void WhatDoesNotFit_IsRefusedWhole()
    {
        Assert.True(_sender.TryWrite(new short[11_900]));
        Assert.False(_sender.TryWrite(new short[101]));
        Assert.True(_sender.TryWrite(new short[100]));
        Assert.Equal(12_000, _sender.QueuedSamples);
        Tick(0);
        Assert.True(_sender.TryWrite(new short[480]));
    }

    [Fact]
    public void AfterAStall_TimeIsLeftOut_NotSound()
    {
        Tick(0);
        Assert.True(_sender.TryWrite(new short[480]));
        Tick(2_000);
        Assert.Equal(2, _sent.Count);
        Assert.Equal(2_000u * 48, _sent[1].Timestamp - _sent[0].Timestamp);
        Assert.True(_sent[1].Marker);
        Assert.Equal(99, _sender.LeftOutFrames);
        Assert.Equal(480, _sender.PlayedSamples);
    }

    [Fact]
    public void AShortStall_IsMadeUpFor()
    {
        Tick(0);
        Tick(90);
        Assert.Equal(5, _sent.Count);
        Assert.Equal(0, _sender.LeftOutFrames);
    }

    [Fact]
    public void WritingClearingAndTicking_FromThreeThreads_LosesNothingUncounted()
    {
        // Each sample tells when it was written: what comes out must only grow, whatever is cleared in between.
        var ring = new SampleRing(960);
        using var stop = new CancellationTokenSource();
        var writer = new Thread(() =>
        {
            short next = 0;
            var pcm = new short[70];
            while (!stop.IsCancellationRequested)
            {
                for (var i = 0; i < pcm.Length; i++)
                    pcm[i] = (short)(next + i);
                if (ring.TryWrite(pcm))
                    next += 70;
                else
                    Thread.Yield();
            }
        });
        var read = 0;
        var clears = 0;
        var clearer = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (Volatile.Read(ref read) > 500 * clears)     // often, and yet something is left to read
                {
                    ring.Clear();
                    Volatile.Write(ref clears, clears + 1);
                }
                Thread.Yield();
            }
        });
        writer.Start();
        clearer.Start();
        var (previous, isOrdered) = ((short)-1, true);
        var pcm = new short[96];
        var deadline = TimeProvider.System.GetTimestamp() + 60 * TimeProvider.System.TimestampFrequency;
        while ((read < 100_000 || Volatile.Read(ref clears) < 2) && TimeProvider.System.GetTimestamp() < deadline)
        {
            var count = ring.Read(pcm);
            for (var i = 0; i < count; i++)
            {
                // Within one read samples are next to each other; between two some may have been cleared.
                isOrdered &= i == 0 ? (short)(pcm[0] - previous) > 0 || read == 0 : pcm[i] == (short)(pcm[i - 1] + 1);
            }
            if (count > 0)
                previous = pcm[count - 1];
            Volatile.Write(ref read, read + count);
        }
        stop.Cancel();
        writer.Join();
        clearer.Join();
        Assert.True(isOrdered);
        Assert.InRange(read, 100_000, int.MaxValue);
        Assert.InRange(clears, 2, int.MaxValue);
    }

    [Fact]
    public void AFrame_AllocatesNothing()
    {
        using var sender = new OpusSender(new(), (_, _, _) => { }, _clock);
        var pcm = new short[960];
        Assert.Equal(0, Allocations.Of(() =>
        {
            sender.TryWrite(pcm);
            sender.Encoder.ExpectedLossPercent = 5;
            _clock.Advance(TimeSpan.FromMilliseconds(20));
            sender.Tick(_clock.GetTimestamp());
        }, runs: 50));
    }

    private void Tick(int afterMs)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(afterMs));
        _sender.Tick(_clock.GetTimestamp());
    }

    private short[] Decode()
    {
        using var decoder = new OpusDecoder(24_000);
        var heard = new short[_sent.Count * 480];
        for (var i = 0; i < _sent.Count; i++)
            decoder.Decode(_sent[i].Opus, heard.AsSpan(480 * i, 480));
        return heard;
    }
}
