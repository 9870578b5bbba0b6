using System.Threading.Channels;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>Handshakes over a network that loses, doubles or swaps the datagrams that the test names.</summary>
public sealed class DtlsLossTests
{
    /// <summary>Datagrams, in order of sending, that something may happen to: the four of a handshake and the first that are sent again.</summary>
    private const int Places = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private enum Fault
    {
        Lost,
        Doubled,
        Swapped,
    }

    [Fact]
    public async Task AnyTwoDatagrams_MayBeLostDoubledOrSwapped()
    {
        var faults = Enum.GetValues<Fault>();
        var runs =
            from first in Enumerable.Range(0, Places)
            from second in Enumerable.Range(first, Places - first)
            from a in faults
            from b in faults
            where first != second || a == b
            select RunAsync(new Dictionary<int, Fault> { [first] = a, [second] = b });
        await Task.WhenAll(runs);
    }

    [Fact]
    public async Task HalfOfAllDatagramsLost_StillConnects()
    {
        // Lost are the even ones of the first twenty: nobody hears an answer until the waits have doubled a few times.
        var statistics = await RunAsync(Enumerable.Range(0, 10).ToDictionary(i => 2 * i, _ => Fault.Lost));
        Assert.InRange(statistics, 2, 24);   // OpenSSL gives up after twelve waits of either side
    }

    /// <summary>Shakes hands and exchanges a word each way. Returns how often a flight was sent again.</summary>
    private static async Task<int> RunAsync(Dictionary<int, Fault> faults)
    {
        // OpenSSL reads the system's clock, so the waits are real; they are short, and all runs wait together.
        using var pair = new DtlsPair(TimeProvider.System, retransmission: TimeSpan.FromMilliseconds(20));
        var network = Channel.CreateUnbounded<(DtlsPeer To, byte[] Datagram)>();
        pair.Client.Carry = datagram => network.Writer.TryWrite((pair.Server, datagram));
        pair.Server.Carry = datagram => network.Writer.TryWrite((pair.Client, datagram));
        pair.Start();

        using var deadline = new CancellationTokenSource(Patience);
        (DtlsPeer To, byte[] Datagram)? held = null;
        for (var place = 0; !pair.Connected; place++)
        {
            var next = await network.Reader.ReadAsync(deadline.Token);
            if (!faults.TryGetValue(place, out var fault))
                Deliver(next);
            else if (fault == Fault.Doubled)
                Deliver(next, next);
            else if (fault == Fault.Swapped && held is null)
            {
                held = next;
                continue;
            }
            if (held is { } late)
                Deliver(late);
            held = null;
        }

        pair.Client.Carry = datagram => pair.Server.Transport.OnDatagram(datagram);
        pair.Server.Carry = datagram => pair.Client.Transport.OnDatagram(datagram);
        Assert.True(pair.Client.Transport.TrySend("there"u8));
        Assert.True(pair.Server.Transport.TrySend("back"u8));
        Assert.Equal("there"u8, pair.Server.Received.Single());
        Assert.Equal("back"u8, pair.Client.Received.Single());
        Assert.Equal(pair.Client.Keys!.Value.Inbound, pair.Server.Keys!.Value.Outbound);
        return pair.Client.Transport.Statistics.Retransmissions + pair.Server.Transport.Statistics.Retransmissions;

        static void Deliver(params ReadOnlySpan<(DtlsPeer To, byte[] Datagram)> datagrams)
        {
            foreach (var (to, datagram) in datagrams)
                to.Transport.OnDatagram(datagram);
        }
    }
}
