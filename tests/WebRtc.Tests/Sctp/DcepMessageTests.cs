using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

public sealed class DcepMessageTests
{
    [Fact]
    public void WriteOpen_HasTheLayoutOfRfc8832()
    {
        var options = new DataChannelOptions(Ordered: false, MaxRetransmits: 3, Protocol: "p");
        Assert.Equal("03810100000000030003000148C3A970", Convert.ToHexString(DcepMessage.WriteOpen("H\u00e9", options)));
    }

    [Theory]
    [InlineData("0300010000000000000000006C")]                      // a byte more than it says
    [InlineData("03000100000000000002000061")]                      // a byte less
    [InlineData("0303010000000000000000")]                          // half a header
    [InlineData("030301000000000000000000")]                        // reliability type 3
    [InlineData("038301000000000000000000")]
    [InlineData("034001000000000000000000")]
    [InlineData("030001000000000000010000FF")]                      // not UTF-8
    [InlineData("020001000000000000000000")]                        // not an OPEN
    [InlineData("")]
    public void TryReadOpen_RefusesWhatIsNotOne(string hex) => Assert.False(DcepMessage.TryReadOpen(Convert.FromHexString(hex), out _, out _));

    [Fact]
    public void Names_HaveALimit()
    {
        var longest = DcepMessage.WriteOpen(new string('l', 1024), new DataChannelOptions(Protocol: new string('p', 1024)));
        Assert.True(DcepMessage.TryReadOpen(longest, out var label, out _));
        Assert.Equal(1024, label.Length);
        Assert.Throws<ArgumentException>(() => DcepMessage.WriteOpen(new string('l', 1025), DataChannelOptions.Reliable));
        Assert.Throws<ArgumentException>(() => DcepMessage.WriteOpen("", new DataChannelOptions(Protocol: new string('\u00e9', 513))));
        Assert.ThrowsAny<ArgumentException>(() => DcepMessage.WriteOpen("\ud800", DataChannelOptions.Reliable));
        Assert.Throws<ArgumentException>(() => DcepMessage.WriteOpen("", new DataChannelOptions(MaxRetransmits: 1, MaxLifetime: TimeSpan.FromSeconds(1))));
        byte[] tooLong = [3, 0, 1, 0, 0, 0, 0, 0, 4, 1, 0, 0, .. new byte[1025]];
        Assert.False(DcepMessage.TryReadOpen(tooLong, out _, out _));
    }

    [Fact]
    public void Open_RoundTrips()
    {
        Prop.ForAll<(bool Ordered, byte Kind, uint Value), (NonNull<string> Label, NonNull<string> Protocol)>((how, names) =>
        {
            var (label, protocol) = (Unicode(names.Label.Get), Unicode(names.Protocol.Get));
            var options = new DataChannelOptions(
                how.Ordered, how.Kind % 3 == 1 ? how.Value : null, how.Kind % 3 == 2 ? TimeSpan.FromMilliseconds(how.Value) : null, protocol);
            return DcepMessage.TryReadOpen(DcepMessage.WriteOpen(label, options), out var readLabel, out var read) && (readLabel, read) == (label, options);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AnyBytes_AreReadOrRefused()
    {
        Prop.ForAll<byte[], byte[]>((bytes, name) =>
        {
            DcepMessage.TryReadOpen(bytes, out _, out _);
            byte[] near = [3, .. bytes.Take(9), 0, 0, .. name];
            if (near.Length >= 12)
                (near[8], near[9]) = (0, (byte)name.Length);
            return !DcepMessage.TryReadOpen(near, out var label, out _) || System.Text.Encoding.UTF8.GetByteCount(label) == name.Length;
        }).QuickCheckThrowOnFailure();
    }

    // The peer's OPEN is damaged on its way; what follows is what RFC 8832 §6 asks for.
    [Theory]
    [InlineData(1, 3)]                                              // an unknown reliability
    [InlineData(9, 200)]                                            // a label past the end
    [InlineData(12, 0xff)]                                          // a label that is not text
    public async Task BadOpen_IsRefused_AndItsStreamReset(int at, byte value)
    {
        await using var link = new PacketLink();
        link.Rewrite = (to, packet) => [Overwrite(packet, to == link.Server, at, value)];
        await link.StartAsync();
        var channel = link.Client.Association.Open("label", DataChannelOptions.Reliable);
        await Until.TrueAsync(() => link.Client.ClosedChannels.Count == 1 || channel.State != DataChannelState.Open);
        Assert.Empty(link.Server.Channels);
        Assert.Equal(1, link.Server.Association.Statistics.MessagesRefused);
        Assert.Empty(link.Server.Closed);
    }

    [Theory]
    [InlineData(0, 0x7f)]                                           // no message of DCEP
    [InlineData(0, 2)]                                              // an acknowledgement with a tail
    public async Task UnknownControlMessage_IsCounted_AndChangesNothing(int at, byte value)
    {
        await using var link = new PacketLink();
        link.Rewrite = (to, packet) => [Overwrite(packet, to == link.Server, at, value)];
        await link.StartAsync();
        var channel = link.Client.Association.Open("label", DataChannelOptions.Reliable);
        await Until.TrueAsync(() => link.Server.Association.Statistics.MessagesRefused == 1);
        Assert.Empty(link.Server.Channels);
        Assert.Equal(DataChannelState.Open, channel.State);
    }

    [Fact]
    public async Task SecondOpenOfAStream_ClosesItsChannel()
    {
        await using var link = new PacketLink();
        // A message of the application becomes an OPEN of the same stream.
        link.Rewrite = (to, packet) => [to == link.Server && SctpPackets.FindData(packet, 53) is > 0 and var start ? Relabel(packet, start) : packet];
        await link.StartAsync();
        var channel = link.Client.Association.Open("once", DataChannelOptions.Reliable);
        await SctpAssociationTests.SendAsync(link.Client, channel, DcepMessage.WriteOpen("twice", DataChannelOptions.Reliable));
        await Until.TrueAsync(() => link.Server.ClosedChannels.Count == 1 && channel.State == DataChannelState.Closed);
        Assert.Equal("once", Assert.Single(link.Server.Channels).Label);
    }

    [Fact]
    public async Task UnorderedChannel_SendsInOrderUntilItIsAcknowledged()
    {
        const byte UnorderedBit = 4;
        var flags = new List<byte>();
        await using var link = new PacketLink();
        link.Rewrite = (to, packet) =>
        {
            if (to == link.Server && SctpPackets.FindData(packet, 51) is > 0 and var start)
                flags.Add((byte)(packet[start + 1] & UnorderedBit));
            return to == link.Client && flags.Count < 2 && SctpPackets.FindData(packet, 50) > 0 ? [] : [packet];
        };
        await link.StartAsync();
        var channel = link.Client.Association.Open("u", new DataChannelOptions(Ordered: false));
        Assert.True(link.Client.Association.TrySend(channel, "early"u8, isBinary: false));
        await Until.TrueAsync(() => flags.Count >= 1);
        await Until.TrueAsync(() => link.Client.Association.TrySend(channel, "later"u8, isBinary: false) && flags.Contains(UnorderedBit));
        Assert.Equal(0, flags[0]);
    }

    private static byte[] Relabel(byte[] packet, int start)
    {
        packet[start + 15] = 50;
        return SctpPackets.WithChecksum(packet);
    }

    private static byte[] Overwrite(byte[] packet, bool isForServer, int at, byte value)
    {
        var start = isForServer ? SctpPackets.FindData(packet, 50) : -1;
        if (start < 0)
            return packet;
        packet[start + SctpPackets.DataHeaderBytes + at] = value;
        return SctpPackets.WithChecksum(packet);
    }

    private static string Unicode(string text) => new(text.Where(letter => !char.IsSurrogate(letter)).Take(300).ToArray());
}
