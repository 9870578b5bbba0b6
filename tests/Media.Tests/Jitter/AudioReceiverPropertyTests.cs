using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Tests.Fakes.Network;

namespace VoiceGrains.Media.Tests.Jitter;

/// <summary>Any order of arrival, any loss, any garbage.</summary>
public sealed class AudioReceiverPropertyTests
{
    private const int RateHz = 16_000;
    private const int Packets = 100;
    private const int PieceSamples = RateHz / 100;

    /// <summary>A tone that only rises, from 300 to 2,000 Hz: its pitch tells which packet is heard.</summary>
    private static readonly SentPacket[] s_rising = JitteryNetwork.Encode(
        [.. Enumerable.Range(0, RateHz * 2).Select(i => i / (double)RateHz).Select(t => (short)(8_000 * Math.Sin(2 * Math.PI * (300 * t + 425 * t * t))))],
        new() { SampleRateHz = RateHz, BitrateBps = 48_000 });

    [Fact]
    public void WhateverArrivesWhen_TakeFills_AndOrderHolds()
    {
        // For each packet: lost or not, 0 to 300 ms of delay, and whether it comes again later.
        var fate =
            from loss in Gen.Choose(0, 9)
            from delayMs in Gen.Choose(0, 300)
            from again in Gen.Choose(0, 9)
            select (loss, delayMs, again);
        var networks =
            from fates in fate.ArrayOf(Packets)
            from firstSequence in Gen.Choose(0, 65_535)
            from spreadMs in Gen.Choose(0, 300)
            select (fates, firstSequence, spreadMs);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40), Prop.ForAll(networks.ToArbitrary(), HoldsOrder));
    }

    [Fact]
    public void Garbage_NeverThrows_NorStopsTheSound()
    {
        var seconds = int.TryParse(Environment.GetEnvironmentVariable("VOICEGRAINS_FUZZ_SECONDS"), out var set) ? set : 0;
        var until = TimeProvider.System.GetTimestamp() + seconds * TimeProvider.System.TimestampFrequency;
        long packets = 0;
        for (var seed = 0; seed < 10 || TimeProvider.System.GetTimestamp() < until; seed++)
            packets += FeedGarbage(seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"{packets} packets of garbage.");
    }

    private static bool HoldsOrder(((int Loss, int DelayMs, int Again)[] Fates, int FirstSequence, int SpreadMs) network)
    {
        var clock = new FakeClock();
        using var receiver = new AudioReceiver(new() { SampleRateHz = RateHz }, clock);
        var arrivals = new List<(int AtMs, int Packet)>();
        for (var i = 0; i < Packets; i++)
        {
            var (loss, delay, again) = network.Fates[i];
            var at = 20 * i + delay % (network.SpreadMs + 1);
            if (loss > 0)
                arrivals.Add((at, i));
            if (again == 0)
                arrivals.Add((at + delay, i));
        }
        arrivals.Sort();
        var heard = new List<short>();
        var piece = new short[PieceSamples];
        var next = 0;
        for (var now = 0; now < 20 * Packets + 1_000; now += 10)
        {
            for (; next < arrivals.Count && arrivals[next].AtMs <= now; next++)
            {
                var packet = s_rising[arrivals[next].Packet];
                receiver.Put((ushort)(network.FirstSequence + arrivals[next].Packet), packet.Timestamp, packet.Opus);
            }
            piece.AsSpan().Fill(short.MinValue);
            receiver.Take(piece);
            Assert.DoesNotContain(short.MinValue, piece);
            heard.AddRange(piece);
            clock.Advance(TimeSpan.FromMilliseconds(10));
        }
        AssertRises(heard);
        AssertAddsUp(receiver.Statistics, arrivals.Count);
        return true;
    }

    private static void AssertRises(List<short> heard)
    {
        var highest = 0.0;
        foreach (var window in heard.Chunk(RateHz / 25))
        {
            if (Pcm.Dbfs(window) < -20)
                continue;       // silence, or concealed for long
            var crossings = window.Zip(window.Skip(1)).Count(pair => pair.First < 0 != pair.Second < 0);
            var pitch = crossings / 2.0 * 25;
            Assert.InRange(pitch, highest - 150, 2_200);
            highest = Math.Max(highest, pitch);
        }
    }

    private static void AssertAddsUp(AudioReceiverStatistics statistics, int arrived)
    {
        Assert.Equal(arrived, statistics.Packets);
        Assert.InRange(statistics.Late + statistics.Duplicates + statistics.Discarded, 0, arrived);
        Assert.InRange(statistics.FecRecovered, 0, statistics.Lost);
        Assert.InRange(statistics.TargetDelayMs, 20, 200);
        Assert.InRange(statistics.DelayMs, -200, 600);
    }

    /// <summary>A second of a sender gone mad: real packets, changed ones, random bytes; numbers near, far and random.</summary>
    private static int FeedGarbage(int seed)
    {
        var random = new Random(seed);
        var clock = new FakeClock();
        using var receiver = new AudioReceiver(new() { SampleRateHz = random.GetItems([8_000, 12_000, 16_000, 24_000, 48_000], 1)[0] }, clock);
        var piece = new short[receiver.SampleRateHz / 100 * random.Next(1, 3)];
        var bytes = new byte[1_600];
        var (sequence, timestamp, packets) = ((ushort)random.Next(), (uint)random.Next(), 0);
        for (var tick = 0; tick < 100; tick++)
        {
            for (var count = random.Next(4); count > 0; count--, packets++)
            {
                (sequence, timestamp) = ((ushort)(sequence + Step(random, 1)), timestamp + (uint)(960 * Step(random, 1) + (random.Next(10) == 0 ? random.Next(960) : 0)));
                receiver.Put(sequence, timestamp, Garble(random, bytes));
            }
            if (random.Next(200) == 0)
                receiver.Reset();
            receiver.Take(piece);
            _ = receiver.Statistics;
            clock.Advance(TimeSpan.FromMilliseconds(random.Next(50) == 0 ? random.Next(5_000) : random.Next(25)));
        }
        Assert.Equal(packets, receiver.Statistics.Packets);

        // And then it recovers.
        for (var i = 0; i < Packets; i++)
        {
            receiver.Put((ushort)(sequence + 10_000 + i), timestamp + 77_777 + (uint)(960 * i), s_rising[i].Opus);
            clock.Advance(TimeSpan.FromMilliseconds(20));
            for (var taken = 0; taken < receiver.SampleRateHz / 50; taken += piece.Length)
                receiver.Take(piece);
        }
        Assert.True(Pcm.Dbfs(piece) is > -25 and < -5, $"Seed {seed}: {Pcm.Dbfs(piece)} dBFS, {receiver.Statistics}");
        return packets;
    }

    private static int Step(Random random, int usual) => random.Next(20) switch
    {
        0 => random.Next(-5, 50),
        1 => random.Next(-40_000, 40_000),
        2 => 0,
        _ => usual,
    };

    private static ReadOnlySpan<byte> Garble(Random random, byte[] bytes)
    {
        var real = s_rising[random.Next(Packets)].Opus;
        var length = random.Next(4) switch
        {
            0 => random.Next(8),
            1 => random.Next(bytes.Length),
            _ => Math.Max(0, real.Length - (random.Next(4) == 0 ? random.Next(real.Length) : 0)),
        };
        random.NextBytes(bytes.AsSpan(0, length));
        if (random.Next(2) == 0)
        {
            real.AsSpan(0, Math.Min(real.Length, length)).CopyTo(bytes);
            for (var flips = random.Next(3); flips > 0 && length > 0; flips--)
                bytes[random.Next(length)] ^= (byte)(1 << random.Next(8));
        }
        return bytes.AsSpan(0, length);
    }
}
