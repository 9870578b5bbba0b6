using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.WebRtc.Tests.Rtp;

/// <summary>Damaged packets and reports end in a refusal or in values within their bounds. VOICEGRAINS_FUZZ_SECONDS makes the run longer.</summary>
public sealed class RtpFuzzTests
{
    [Fact]
    public void DamagedRtp_IsRefusedOrReadWithinItsBytes() => Repeat(random =>
    {
        var packet = new byte[random.Next(80)];
        random.NextBytes(packet);
        if (packet.Length > 16 && random.Next(4) > 0)
        {
            new RtpHeader(111, true, 1, 2, 3).Write(packet, 1 + random.Next(14), packet.AsSpan(0, Math.Min(16, packet.Length - 16) / 4));
            packet[0] |= (byte)(0x80 | (random.Next(4) == 0 ? 0x20 : 0) | random.Next(3));
        }
        Damage(random, packet);
        if (!RtpPacket.TryRead(packet, out var read))
            return;
        Assert.InRange(read.Payload.Length, 0, packet.Length - RtpHeader.Bytes);
        for (var index = 0; index < read.ContributingSources; index++)
            _ = read.ContributingSource(index);
        for (var id = 0; id < 257; id++)
        {
            if (read.TryGetExtension(id, out var value))
                Assert.InRange(value.Length, 0, packet.Length - RtpHeader.Bytes);
            _ = read.TryGetAudioLevel(id, out _, out _);
        }
    });

    [Fact]
    public void DamagedRtcp_IsRefusedOrReadWithinItsBytes() => Repeat(random =>
    {
        Span<byte> buffer = stackalloc byte[400];
        var writer = new RtcpWriter(buffer);
        var blocks = new RtcpReportBlock[random.Next(4)];
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            _ = random.Next(5) switch
            {
                0 => writer.TryWriteSenderReport(new RtcpSenderInfo(1, 2, 3, 4, 5), blocks),
                1 => writer.TryWriteReceiverReport(1, blocks),
                2 => writer.TryWriteCname(1, new byte[random.Next(40)]),
                3 => writer.TryWriteGoodbye(1),
                _ => writer.TryWriteNack(1, 2, [1, 5, 40]),
            };
        }
        var datagram = writer.Written.ToArray();
        Damage(random, datagram);
        var cut = datagram.AsSpan(0, random.Next(8) == 0 ? random.Next(datagram.Length + 1) : datagram.Length);
        if (!RtcpReader.TryOpen(cut, out var reader))
            return;
        Span<ushort> lost = stackalloc ushort[20];
        while (reader.TryRead(out var packet))
        {
            for (var index = 0; index < packet.Reports; index++)
                Assert.InRange(packet.Report(index).CumulativeLost, -0x800000, 0x7fffff);
            _ = packet.TryReadSenderInfo(out _);
            _ = packet.SaysGoodbye(1);
            if (packet.TryReadCname(out _, out var cname))
                Assert.InRange(cname.Length, 0, 255);
            if (packet.TryReadNack(out _, lost, out var count))
                Assert.InRange(count, 1, lost.Length);
        }
    });

    [Fact]
    public void AnySequenceOfNumbers_KeepsTheReportInItsFields()
    {
        var clock = new VoiceGrains.Tests.Shared.ManualClock();
        var statistics = new RtpReceiverStatistics(1, 48_000, clock);
        Repeat(random =>
        {
            statistics.OnPacket((ushort)random.Next(65_536), (uint)random.NextInt64());
            clock.Advance(TimeSpan.FromMilliseconds(random.Next(100)));
            if (random.Next(10) == 0)
                Assert.InRange(statistics.CreateReport().CumulativeLost, -0x800000, 0x7fffff);
        });
    }

    private static void Damage(Random random, byte[] packet)
    {
        for (var count = random.Next(4); count > 0 && packet.Length > 0; count--)
            packet[random.Next(random.Next(2) == 0 ? Math.Min(8, packet.Length) : packet.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : random.Next(4));
    }

    private static void Repeat(Action<Random> round)
    {
        foreach (var seed in FuzzTime.Cases())
            round(new Random(seed));
    }
}
