using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.WebRtc.Tests.Rtp;

public sealed class RtcpTests
{
    private static readonly RtcpReportBlock _block = new(0x11223344, 64, -3, 0x00020007, 480, 0xB7052000, 0x00054000);

    [Fact]
    public void CompoundDatagram_IsReadAsItWasWritten()
    {
        var writer = new RtcpWriter(new byte[256]);
        var info = new RtcpSenderInfo(7, 0xB44DB70520000000, 48_000, 50, 4000);
        Assert.True(writer.TryWriteSenderReport(info, [_block]));
        Assert.True(writer.TryWriteCname(7, "agent@voice"u8));
        Assert.True(writer.TryWriteGoodbye(7));

        Assert.True(RtcpReader.TryOpen(writer.Written, out var reader));
        Assert.True(reader.TryRead(out var report));
        Assert.Equal(RtcpType.SenderReport, report.Type);
        Assert.True(report.TryReadSenderInfo(out var read));
        Assert.Equal(info, read);
        Assert.Equal(1, report.Reports);
        Assert.Equal(_block, report.Report(0));
        Assert.True(reader.TryRead(out var description));
        Assert.True(description.TryReadCname(out var ssrc, out var cname));
        Assert.Equal((7u, "agent@voice"), (ssrc, System.Text.Encoding.UTF8.GetString(cname)));
        Assert.True(reader.TryRead(out var goodbye));
        Assert.True(goodbye.SaysGoodbye(7));
        Assert.False(goodbye.SaysGoodbye(8));
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void ReceiverReport_HasTheLayoutOfRfc3550()
    {
        var writer = new RtcpWriter(new byte[64]);
        Assert.True(writer.TryWriteReceiverReport(0xAABBCCDD, [_block]));
        Assert.Equal("81C90007AABBCCDD1122334440FFFFFD00020007000001E0B705200000054000", Convert.ToHexString(writer.Written));
    }

    [Theory]
    [InlineData("")]
    [InlineData("80C900")]                              // half a header
    [InlineData("40C9000100000001")]                    // version 1
    [InlineData("80C9000200000001")]                    // longer than the datagram
    [InlineData("80C900010000000180")]                  // a byte too many
    [InlineData("A0C900010000000480CB000100000001")]    // padding not in the last packet
    [InlineData("A0C9000100000000")]                    // padding of nothing
    [InlineData("A0C9000100000003")]                    // not of whole words
    [InlineData("A0C9000100000008")]                    // into the header
    public void TryOpen_RefusesWhatIsNotWholeRtcp(string hex) => Assert.False(RtcpReader.TryOpen(Convert.FromHexString(hex), out _));

    [Fact]
    public void ReducedSizeAndUnknownPackets_AreWalkedPast()
    {
        // A lone unknown type (207), then a goodbye with a reason and padding.
        Assert.True(RtcpReader.TryOpen(Convert.FromHexString("80CF000100000001A1CB0003000000090362796500000004"), out var reader));
        Assert.True(reader.TryRead(out var unknown));
        Assert.False(unknown.TryReadSenderInfo(out _) || unknown.TryReadCname(out _, out _) || unknown.SaysGoodbye(1) || unknown.TryReadNack(out _, [], out _));
        Assert.Equal(0, unknown.Reports);
        Assert.True(reader.TryRead(out var goodbye));
        Assert.True(goodbye.SaysGoodbye(9));
    }

    [Theory]
    [InlineData("81C80006000000010000000000000000000000000000000000000000")]    // one report claimed, none there
    [InlineData("82C9000700000001112233440000000000000000000000000000000000000000")]
    [InlineData("81CA00020000000101FF6162")]                                    // an item past the end
    [InlineData("81CA000100000001")]                                            // no item at all
    [InlineData("82CB000100000001")]                                            // two sources claimed, one there
    [InlineData("81CD00020000000100000002")]                                    // NACK of nothing
    public void ContentsShorterThanClaimed_AreNotRead(string hex)
    {
        Assert.True(RtcpReader.TryOpen(Convert.FromHexString(hex), out var reader));
        Assert.True(reader.TryRead(out var packet));
        Assert.False(packet.TryReadSenderInfo(out _) || packet.TryReadCname(out _, out _) || packet.SaysGoodbye(1) || packet.TryReadNack(out _, [], out _));
        Assert.Equal(0, packet.Reports);
    }

    [Fact]
    public void Nack_CoversSeventeenNumbersInAWord()
    {
        var writer = new RtcpWriter(new byte[64]);
        ushort[] lost = [65_530, 65_531, 10, 11, 27];
        Assert.True(writer.TryWriteNack(1, 2, lost));
        Assert.Equal("81CD0004" + "00000001" + "00000002" + "FFFA8001" + "000B8000", Convert.ToHexString(writer.Written));
        Assert.True(RtcpReader.TryOpen(writer.Written, out var reader));
        Assert.True(reader.TryRead(out var packet));
        Assert.True(packet.TryReadNack(out var ssrc, new ushort[32], out var count));
        Assert.Equal((2u, 5), (ssrc, count));
        Assert.False(writer.TryWriteNack(1, 2, []));
    }

    [Fact]
    public void Nack_RoundTrips()
    {
        Prop.ForAll<ushort, byte[]>((start, steps) =>
        {
            var lost = new List<ushort>();
            foreach (var step in steps.Take(40))
                lost.Add(start += (ushort)(step + 1));
            var writer = new RtcpWriter(new byte[256]);
            if (!writer.TryWriteNack(1, 2, lost.ToArray()))
                return lost.Count == 0;
            Span<ushort> read = new ushort[64];
            return RtcpReader.TryOpen(writer.Written, out var reader) && reader.TryRead(out var packet) && packet.TryReadNack(out _, read, out var count)
                && read[..count].SequenceEqual(lost.ToArray());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Reports_RoundTrip()
    {
        Prop.ForAll<(uint Ssrc, byte Fraction, short Lost), (uint Highest, uint Jitter, uint Last), byte>((first, second, count) =>
        {
            var blocks = Enumerable.Range(0, count % 32)
                .Select(index => new RtcpReportBlock(first.Ssrc + (uint)index, first.Fraction, first.Lost * 100, second.Highest, second.Jitter, second.Last, first.Ssrc)).ToArray();
            var writer = new RtcpWriter(new byte[1024]);
            Assert.True(writer.TryWriteReceiverReport(first.Ssrc, blocks));
            Assert.True(RtcpReader.TryOpen(writer.Written, out var reader));
            Assert.True(reader.TryRead(out var packet));
            Assert.Equal(blocks.Length, packet.Reports);
            for (var index = 0; index < blocks.Length; index++)
                Assert.Equal(blocks[index], packet.Report(index));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void WritersWithoutRoom_WriteNothing()
    {
        for (var room = 0; room < 24; room++)
        {
            var writer = new RtcpWriter(new byte[room]);
            Assert.False(writer.TryWriteSenderReport(default, []) || writer.TryWriteReceiverReport(1, [_block]) || writer.TryWriteCname(1, new byte[16]));
            Assert.True(writer.Written.IsEmpty);
        }
        Assert.False(new RtcpWriter(new byte[4096]).TryWriteReceiverReport(1, new RtcpReportBlock[32]));
        Assert.False(new RtcpWriter(new byte[4096]).TryWriteCname(1, new byte[256]));
    }
}
