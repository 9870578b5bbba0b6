using System.Buffers.Binary;
using System.Text;
using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

public sealed class SctpAssociationTests
{
    private static readonly LinkFaults _bad = new(Loss: 0.1, Duplicates: 0.1, Reordered: 0.1);
    private static readonly DataChannelOptions _lossy = new(Ordered: false, MaxRetransmits: 0);

    [Fact]
    public async Task BothEndsStart_AndOneAssociationCarriesMessagesBothWays()
    {
        await using var link = await new PacketLink().StartAsync();
        var channel = link.Client.Association.Open("_reliable", DataChannelOptions.Reliable);
        Assert.Equal(0, channel.StreamId);
        Assert.True(link.Client.Association.TrySend(channel, "hello"u8, isBinary: false));
        await Until.TrueAsync(() => link.Server.Messages.Count == 1);

        var accepted = Assert.Single(link.Server.Channels);
        Assert.Equal(("_reliable", (ushort)0, DataChannelState.Open), (accepted.Label, accepted.StreamId, accepted.State));
        Assert.Equal(DataChannelOptions.Reliable, accepted.Options);
        Assert.True(link.Server.Association.TrySend(accepted, [1, 2, 3], isBinary: true));
        await Until.TrueAsync(() => link.Client.Messages.Count == 1);
        Assert.Equal(("_reliable", "hello", false), Only(link.Server));
        Assert.Equal(("_reliable", "\u0001\u0002\u0003", true), Only(link.Client));
        Assert.Equal(new SctpStatistics(1, 1, 0, 0, 0), link.Server.Association.Statistics);
    }

    [Fact]
    public async Task Open_BeforeTheAssociationIsUp_WaitsForIt()
    {
        await using var link = new PacketLink();
        var channel = link.Server.Association.Open("early", new DataChannelOptions(Protocol: "p"));
        Assert.Equal(((ushort)1, DataChannelState.Connecting), (channel.StreamId, channel.State));
        Assert.False(link.Server.Association.TrySend(channel, "x"u8, isBinary: true));
        await link.StartAsync();
        await Until.TrueAsync(() => link.Client.Channels.Count == 1);
        Assert.Equal(("early", "p"), (link.Client.Channels.Single().Label, link.Client.Channels.Single().Options.Protocol));
        Assert.Equal(DataChannelState.Open, channel.State);
    }

    [Fact]
    public async Task ReliableOrdered_OverABadLink_LosesAndReordersNothing()
    {
        await using var link = await new PacketLink(_bad).StartAsync();
        var channel = link.Client.Association.Open("r", DataChannelOptions.Reliable);
        var sent = Enumerable.Range(0, 200).Select(number => $"{number}").ToArray();
        foreach (var text in sent)
            await SendAsync(link.Client, channel, Encoding.UTF8.GetBytes(text));
        await Until.TrueAsync(() => link.Server.Messages.Count >= sent.Length);
        Assert.Equal(sent, link.Server.Texts);
    }

    [Fact]
    public async Task ReliableUnordered_OverABadLink_DeliversEachMessageOnce()
    {
        await using var link = await new PacketLink(_bad, seed: 2).StartAsync();
        var channel = link.Client.Association.Open("u", new DataChannelOptions(Ordered: false));
        for (var number = 0; number < 200; number++)
            await SendAsync(link.Client, channel, Encoding.UTF8.GetBytes($"{number:000}"));
        await Until.TrueAsync(() => link.Server.Messages.Count >= 200);
        Assert.Equal(Enumerable.Range(0, 200).Select(number => $"{number:000}"), link.Server.Texts.Order());
    }

    [Fact]
    public async Task WithoutRetransmissions_LostMessagesStayLost_AndTheRestArrivesOnce()
    {
        await using var link = await new PacketLink(new LinkFaults(Loss: 0.3), seed: 3).StartAsync();
        var lossy = link.Client.Association.Open("_lossy", _lossy);
        var reliable = link.Client.Association.Open("_reliable", DataChannelOptions.Reliable);
        for (var number = 0; number < 100; number++)
            await SendAsync(link.Client, lossy, Encoding.UTF8.GetBytes($"{number}"));
        await SendAsync(link.Client, reliable, "end"u8.ToArray());
        await Until.TrueAsync(() => link.Server.Texts.Contains("end"));
        var arrived = link.Server.Messages.Where(message => message.Label == "_lossy").Select(message => Encoding.UTF8.GetString(message.Bytes)).ToArray();
        Assert.Equal(arrived.Distinct(), arrived);
        Assert.InRange(arrived.Length, 1, 99);
        Assert.Equal(_lossy, link.Server.Channels.Single(channel => channel.Label == "_lossy").Options);
    }

    [Fact]
    public async Task LongestMessages_GoBothWays_InPacketsThatEveryPathCarries()
    {
        await using var link = await new PacketLink(new LinkFaults(Loss: 0.02, Reordered: 0.05)).StartAsync();
        var message = Enumerable.Range(0, 64 * 1024).Select(index => (byte)(index * 31 >> 3)).ToArray();
        var there = link.Client.Association.Open("there", new DataChannelOptions(Ordered: false));
        var back = link.Server.Association.Open("back", DataChannelOptions.Reliable);
        for (var round = 0; round < 3; round++)
        {
            await SendAsync(link.Client, there, message);
            await SendAsync(link.Server, back, message);
        }
        await Until.TrueAsync(() => link.Server.Messages.Count == 3 && link.Client.Messages.Count == 3);
        Assert.All(link.Server.Messages.Concat(link.Client.Messages), received => Assert.Equal(message, received.Bytes));
        Assert.InRange(link.LongestPacket, 1000, SctpOptions.Default.MaxPacketBytes);
    }

    [Fact]
    public async Task EmptyMessages_ArriveEmpty()
    {
        await using var link = await new PacketLink().StartAsync();
        var channel = link.Client.Association.Open("e", DataChannelOptions.Reliable);
        Assert.True(link.Client.Association.TrySend(channel, [], isBinary: false));
        Assert.True(link.Client.Association.TrySend(channel, [], isBinary: true));
        await Until.TrueAsync(() => link.Server.Messages.Count == 2);
        Assert.Equal([(0, false), (0, true)], link.Server.Messages.Select(message => (message.Bytes.Length, message.IsBinary)));
    }

    [Fact]
    public async Task MessageAboveTheLimit_IsNotSent_AndClosesTheChannelOfAPeerThatSendsIt()
    {
        var larger = TestOptions.Quick with { MaxMessageBytes = 200_000, SendBufferBytes = 1 << 20, ReceiveBufferBytes = 1 << 20 };
        await using var link = await new PacketLink(options: larger, serverOptions: TestOptions.Quick).StartAsync();
        var channel = link.Client.Association.Open("big", DataChannelOptions.Reliable);
        var other = link.Client.Association.Open("other", DataChannelOptions.Reliable);
        Assert.False(link.Client.Association.TrySend(channel, new byte[200_001], isBinary: true));
        await SendAsync(link.Client, channel, new byte[65_536]);
        await SendAsync(link.Client, channel, new byte[65_537]);
        await SendAsync(link.Client, other, "after"u8.ToArray());
        await SendAsync(link.Client, other, new byte[190_000]);
        await Until.TrueAsync(() => link.Server.ClosedChannels.Count == 2);
        Assert.Equal([65_536, 5], link.Server.Messages.Select(message => message.Bytes.Length));
        await Until.TrueAsync(() => channel.State == DataChannelState.Closed && other.State == DataChannelState.Closed);
        Assert.Empty(link.Server.Closed);
    }

    [Fact]
    public async Task SlowReader_ShutsTheWindow_UntilTheSenderIsRefused_AndNothingIsLost()
    {
        await using var link = await new PacketLink().StartAsync();
        using var brake = new ManualResetEventSlim();
        link.Server.Brake = brake;
        var channel = link.Client.Association.Open("flood", DataChannelOptions.Reliable);
        var sent = 0;
        var refusals = 0;
        while (refusals < 50)
        {
            if (link.Client.Association.TrySend(channel, BitConverter.GetBytes(sent).Concat(new byte[10_000]).ToArray(), isBinary: true))
                (sent, refusals) = (sent + 1, 0);
            else
            {
                refusals++;
                await Task.Delay(2, TestContext.Current.CancellationToken);
            }
            Assert.InRange(sent * 10_004, 0, 2_000_000);
        }
        brake.Set();
        await Until.TrueAsync(() => link.Server.Messages.Count == sent);
        Assert.Equal(Enumerable.Range(0, sent), link.Server.Messages.Select(message => BitConverter.ToInt32(message.Bytes)));
        Assert.Empty(link.Server.Faults);
    }

    [Fact]
    public async Task Close_ResetsBothStreams_AndTheNumberIsFreeAgain()
    {
        await using var link = await new PacketLink(new LinkFaults(Loss: 0.05)).StartAsync();
        var first = link.Client.Association.Open("first", DataChannelOptions.Reliable);
        await SendAsync(link.Client, first, "last words"u8.ToArray());
        link.Client.Association.Close(first);
        Assert.False(link.Client.Association.TrySend(first, "x"u8, isBinary: true));
        await Until.TrueAsync(() => first.State == DataChannelState.Closed && link.Server.ClosedChannels.Count == 1);
        Assert.Equal(["last words"], link.Server.Texts);
        Assert.Empty(link.Client.ClosedChannels);

        var second = link.Client.Association.Open("second", DataChannelOptions.Reliable);
        Assert.Equal(first.StreamId, second.StreamId);
        await SendAsync(link.Client, second, "again"u8.ToArray());
        await Until.TrueAsync(() => link.Server.Messages.Any(message => message.Label == "second"));
    }

    [Fact]
    public async Task StreamThatIsOpenedAgain_BeforeTheAnswerToOurReset_IsAnotherChannel()
    {
        await using var link = new PacketLink();
        var isAnswerLost = true;
        link.Rewrite = (to, packet) => Volatile.Read(ref isAnswerLost) && to == link.Server && HasResetAnswer(packet) ? [] : [packet];
        await link.StartAsync();
        var first = link.Client.Association.Open("first", DataChannelOptions.Reliable);
        await Until.TrueAsync(() => link.Server.Channels.Count == 1);
        link.Client.Association.Close(first);
        await Until.TrueAsync(() => first.State == DataChannelState.Closed);
        Assert.Equal(DataChannelState.Closing, link.Server.Channels.ElementAt(0).State);

        var second = link.Client.Association.Open("second", DataChannelOptions.Reliable);
        Assert.Equal(first.StreamId, second.StreamId);
        await SendAsync(link.Client, second, "there"u8.ToArray());
        await Until.TrueAsync(() => link.Server.Messages.Any(message => message.Label == "second"));
        Assert.Equal((DataChannelState.Closed, 0L), (link.Server.Channels.ElementAt(0).State, link.Server.Association.Statistics.MessagesRefused));

        Volatile.Write(ref isAnswerLost, false);
        await Until.TrueAsync(() => second.IsAcknowledged);
        await SendAsync(link.Server, link.Server.Channels.ElementAt(1), "and back"u8.ToArray());
        await Until.TrueAsync(() => link.Client.Messages.Any(message => message.Label == "second"));
        link.Client.Association.Close(second);
        await Until.TrueAsync(() => second.State == DataChannelState.Closed && link.Server.Channels.ElementAt(1).State == DataChannelState.Closed);
    }

    [Fact]
    public async Task ChannelsBeyondTheLimit_AreRefused_AndTheirStreamsReset()
    {
        var more = TestOptions.Quick with { MaxChannels = 20 };
        await using var link = await new PacketLink(options: more, serverOptions: TestOptions.Quick).StartAsync();
        var channels = Enumerable.Range(0, 20).Select(number => link.Client.Association.Open($"{number}", DataChannelOptions.Reliable)).ToArray();
        await Until.TrueAsync(() => channels[16..].All(channel => channel.State != DataChannelState.Open));
        Assert.Equal(16, link.Server.Channels.Count);
        Assert.All(channels[..16], channel => Assert.Equal(DataChannelState.Open, channel.State));
        Assert.Equal(4, link.Server.Association.Statistics.MessagesRefused);
    }

    [Fact]
    public async Task ChannelBeyondOnesOwnLimit_CannotBeOpened()
    {
        await using var link = await new PacketLink(options: TestOptions.Quick with { MaxChannels = 2 }).StartAsync();
        link.Client.Association.Open("1", DataChannelOptions.Reliable);
        link.Client.Association.Open("2", DataChannelOptions.Reliable);
        Assert.Throws<InvalidOperationException>(() => link.Client.Association.Open("too many", DataChannelOptions.Reliable));
    }

    [Fact]
    public async Task ChannelOfTheWrongParity_IsRefused_AndReset()
    {
        await using var link = await new PacketLink(isServerWrong: true).StartAsync();
        var channel = link.Server.Association.Open("even, as the client's are", DataChannelOptions.Reliable);
        await Until.TrueAsync(() => channel.State != DataChannelState.Open);
        Assert.Equal(0, channel.StreamId);
        Assert.Empty(link.Client.Channels);
        Assert.Equal(1, link.Client.Association.Statistics.MessagesRefused);
    }

    [Fact]
    public async Task Dispose_AbortsThePeer()
    {
        await using var link = await new PacketLink().StartAsync();
        var channel = link.Client.Association.Open("c", DataChannelOptions.Reliable);
        await Until.TrueAsync(() => link.Server.Channels.Count == 1);
        link.Client.Association.Dispose();
        link.Client.Association.Dispose();
        await Until.TrueAsync(() => link.Server.Closed.Count == 1);
        Assert.Equal(DataChannelState.Closed, channel.State);
        Assert.Equal(DataChannelState.Closed, link.Server.Channels.Single().State);
        Assert.False(link.Server.Association.TrySend(link.Server.Channels.Single(), "x"u8, isBinary: true));
        Assert.Throws<InvalidOperationException>(() => link.Server.Association.Open("late", DataChannelOptions.Reliable));
        Assert.Empty(link.Client.Closed);
    }

    [Fact]
    public async Task PathThatIsGone_EndsTheAssociation()
    {
        await using var link = await new PacketLink(options: TestOptions.Quick with { MaxRetransmissions = 3 }).StartAsync();
        var channel = link.Client.Association.Open("c", DataChannelOptions.Reliable);
        link.IsCut = true;
        Assert.True(link.Client.Association.TrySend(channel, "x"u8, isBinary: true));
        await Until.TrueAsync(() => link.Client.Closed.Count == 1);
        Assert.False(link.Client.Association.IsUp);
    }

    [Fact]
    public async Task PeerThatNeverAnswers_CountsAsLostAfterTheConnectTimeout()
    {
        var clock = new VoiceGrains.Tests.Shared.ManualClock();
        await using var link = new PacketLink(clock: clock) { IsCut = true };
        link.Client.Association.Start();
        clock.Advance(SctpOptions.Default.ConnectTimeout - TimeSpan.FromMilliseconds(1));
        Assert.Empty(link.Client.Closed);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["The association did not come up in time."], link.Client.Closed);
    }

    [Fact]
    public async Task SinkThatThrows_EndsItsAssociationAlone()
    {
        await using var link = await new PacketLink().StartAsync();
        await using var other = await new PacketLink().StartAsync();
        link.Server.Received = _ => throw new InvalidDataException();
        var channel = link.Client.Association.Open("c", DataChannelOptions.Reliable);
        Assert.True(link.Client.Association.TrySend(channel, "x"u8, isBinary: true));
        await Until.TrueAsync(() => link.Client.Closed.Count == 1);
        var unharmed = other.Client.Association.Open("c", DataChannelOptions.Reliable);
        Assert.True(other.Client.Association.TrySend(unharmed, "x"u8, isBinary: true));
        await Until.TrueAsync(() => other.Server.Messages.Count == 1);
    }

    private static (string, string, bool) Only(LinkEnd end) =>
        end.Messages.Select(message => (message.Label, Encoding.UTF8.GetString(message.Bytes), message.IsBinary)).Single();

    internal static Task SendAsync(LinkEnd from, DataChannel channel, byte[] message) =>
        Until.TrueAsync(() => from.Association.TrySend(channel, message, isBinary: true));

    /// <summary>Whether a packet has a Re-configuration Response (RFC 6525 §4.4).</summary>
    private static bool HasResetAnswer(byte[] packet)
    {
        const int Header = 12, Reconfiguration = 130, Response = 16;
        for (var chunk = Header; chunk + 4 <= packet.Length; chunk += Padded(packet, chunk + 2))
        {
            if (packet[chunk] != Reconfiguration) continue;
            var end = chunk + BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(chunk + 2));
            for (var parameter = chunk + 4; parameter + 4 <= end; parameter += Padded(packet, parameter + 2))
            {
                if (BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(parameter)) == Response) return true;
            }
        }
        return false;
    }

    private static int Padded(byte[] packet, int at) => (BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(at)) + 3) & ~3;
}
