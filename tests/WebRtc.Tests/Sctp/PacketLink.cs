using System.Threading.Channels;
using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

/// <summary>What a link does to packets: shares from 0 to 1.</summary>
internal sealed record LinkFaults(double Loss = 0, double Duplicates = 0, double Reordered = 0);

/// <summary>Two ends joined in memory, each with an association. One task carries the packets of both directions and spoils them from a seed.</summary>
internal sealed class PacketLink : IAsyncDisposable
{
    private readonly Channel<(LinkEnd To, byte[] Packet)> _packets = Channel.CreateUnbounded<(LinkEnd, byte[])>();
    private readonly Task _carrier;
    private readonly LinkFaults _faults;
    private readonly Random _random;

    /// <param name="isServerWrong">The server takes itself for the DTLS client, so it opens what the client must refuse.</param>
    internal PacketLink(LinkFaults? faults = null, SctpOptions? options = null, int seed = 1, SctpOptions? serverOptions = null, TimeProvider? clock = null,
        bool isServerWrong = false)
    {
        (_faults, _random) = (faults ?? new(), new Random(seed));
        Client = new LinkEnd(this, isDtlsClient: true, options ?? TestOptions.Quick, clock ?? TimeProvider.System);
        Server = new LinkEnd(this, isDtlsClient: isServerWrong, serverOptions ?? options ?? TestOptions.Quick, clock ?? TimeProvider.System);
        _carrier = Task.Run(CarryAsync);
    }

    internal LinkEnd Client { get; }
    internal LinkEnd Server { get; }
    internal int LongestPacket { get; private set; }

    /// <summary>Nothing arrives any more.</summary>
    internal volatile bool IsCut;

    /// <summary>What arrives at an end in place of a packet. Called on the carrier.</summary>
    internal Func<LinkEnd, byte[], IEnumerable<byte[]>>? Rewrite { get; set; }

    internal async Task<PacketLink> StartAsync()
    {
        Client.Association.Start();
        Server.Association.Start();
        await Until.TrueAsync(() => Client.Association.IsUp && Server.Association.IsUp);
        return this;
    }

    internal void Send(LinkEnd from, ReadOnlySpan<byte> packet)
    {
        LongestPacket = Math.Max(LongestPacket, packet.Length);
        _packets.Writer.TryWrite((from == Client ? Server : Client, packet.ToArray()));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Association.Dispose();
        Server.Association.Dispose();
        _packets.Writer.TryComplete();
        await _carrier;
    }

    private async Task CarryAsync()
    {
        (LinkEnd To, byte[] Packet)? late = null;
        await foreach (var item in _packets.Reader.ReadAllAsync())
        {
            if (IsCut || _random.NextDouble() < _faults.Loss)
                continue;
            if (late is null && _random.NextDouble() < _faults.Reordered)
            {
                late = item;
                continue;
            }
            if (Rewrite is { } rewrite)
            {
                foreach (var packet in rewrite(item.To, item.Packet))
                    item.To.Association.OnPacket(packet);
                continue;
            }
            item.To.Association.OnPacket(item.Packet);
            if (_random.NextDouble() < _faults.Duplicates)
                item.To.Association.OnPacket(item.Packet);
            late?.To.Association.OnPacket(late.Value.Packet);
            late = null;
        }
    }
}
