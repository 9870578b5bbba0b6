using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.Tests.Fakes.Network;

/// <summary>An RTP packet that came to a <see cref="LossyUdp"/>: its header is in the clear.</summary>
/// <param name="At">When it came, by <see cref="Stopwatch"/>.</param>
/// <param name="IsToServer">Else to the client.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="WasLost">It came no further.</param>
internal readonly record struct CarriedPacket(long At, bool IsToServer, uint Ssrc, ushort Sequence, uint Timestamp, int Bytes, bool WasLost);

/// <summary>
/// A bad network between the UDP sockets of one client and the one of a server: a relay that loses and delays datagrams of any kind, both ways. Clients are told
/// <see cref="EndPoint"/> instead of the server's. It remembers when RTP came to it, so that what a network does can be told from what a sender does.
/// </summary>
internal sealed class LossyUdp : IDisposable
{
    private const int LongestDatagram = 2_048;
    private const byte RtpVersion = 2 << 6, LeastRtcpType = 192, MostRtcpType = 223;      // RFC 7983, RFC 5761
    private readonly IPEndPoint _server;
    private readonly Socket _front;
    private readonly Dictionary<IPEndPoint, Socket> _clients = [];
    private readonly List<CarriedPacket> _carried = [];
    private readonly PriorityQueue<(byte[] Datagram, Socket From, IPEndPoint To), long> _underWay = new();
    private readonly Random _random;
    private readonly Lock _gate = new();
    private readonly object _timing = new();
    private volatile bool _isDisposed;

    /// <param name="server">The server's socket; the network's own is on the same address.</param>
    public LossyUdp(IPEndPoint server, int seed = 1)
    {
        (_server, _random) = (server, new Random(seed));
        _front = Bind();
        EndPoint = (IPEndPoint)_front.LocalEndPoint!;
        Run("from clients", ReceiveFromClients);
        Run("delays", SendDelayed);
    }

    /// <summary>Of datagrams, each by itself.</summary>
    public double LossPercent { get; init; }

    /// <summary>Each datagram is delayed by up to so much, each by itself: they come in another order, too.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Where clients find the server.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>All RTP so far.</summary>
    public IReadOnlyList<CarriedPacket> Carried
    {
        get
        {
            lock (_gate) return [.. _carried];
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _front.Dispose();
        lock (_gate)
        {
            foreach (var client in _clients.Values) client.Dispose();
        }
        lock (_timing) Monitor.PulseAll(_timing);
    }

    private void ReceiveFromClients()
    {
        var buffer = new byte[LongestDatagram];
        EndPoint any = new IPEndPoint(IPAddress.Any, 0);
        while (!_isDisposed)
        {
            var from = any;
            var length = _front.ReceiveFrom(buffer, ref from);
            Carry(buffer.AsSpan(0, length), isToServer: true, Client((IPEndPoint)from), _server);
        }
    }

    /// <summary>The server knows each socket of the client by one of this network's.</summary>
    private Socket Client(IPEndPoint client)
    {
        lock (_gate)
        {
            if (_clients.TryGetValue(client, out var known)) return known;
            var socket = _clients[client] = Bind();
            Run("from the server", () => ReceiveFromServer(socket, client));
            return socket;
        }
    }

    private void ReceiveFromServer(Socket socket, IPEndPoint client)
    {
        var buffer = new byte[LongestDatagram];
        while (!_isDisposed)
        {
            var length = socket.Receive(buffer);
            Carry(buffer.AsSpan(0, length), isToServer: false, _front, client);
        }
    }

    private void Carry(ReadOnlySpan<byte> datagram, bool isToServer, Socket from, IPEndPoint to)
    {
        TimeSpan delay;
        lock (_gate)
        {
            var isLost = _random.NextDouble() * 100 < LossPercent;
            delay = Jitter * _random.NextDouble();
            if (datagram.Length >= 12 && (datagram[0] & 0xC0) == RtpVersion && datagram[1] is < LeastRtcpType or > MostRtcpType)
            {
                _carried.Add(new(Stopwatch.GetTimestamp(), isToServer, BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]), BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]),
                    BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]), datagram.Length, isLost));
            }
            if (isLost) return;
        }
        if (delay == TimeSpan.Zero)
        {
            Send(datagram, from, to);
            return;
        }
        lock (_timing)
        {
            _underWay.Enqueue((datagram.ToArray(), from, to), Stopwatch.GetTimestamp() + (long)(delay.TotalSeconds * Stopwatch.Frequency));
            Monitor.Pulse(_timing);
        }
    }

    private void SendDelayed()
    {
        while (!_isDisposed)
        {
            (byte[] Datagram, Socket From, IPEndPoint To) next;
            lock (_timing)
            {
                if (!_underWay.TryPeek(out next, out var due))
                {
                    Monitor.Wait(_timing);
                    continue;
                }
                var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (left > TimeSpan.Zero)
                {
                    Monitor.Wait(_timing, (int)Math.Ceiling(left.TotalMilliseconds));
                    continue;
                }
                _underWay.Dequeue();
            }
            Send(next.Datagram, next.From, next.To);
        }
    }

    private static void Send(ReadOnlySpan<byte> datagram, Socket from, IPEndPoint to)
    {
        try
        {
            from.SendTo(datagram, to);
        }
        catch (SocketException)
        {
            // Lost: nobody is there.
        }
    }

    private Socket Bind()
    {
        var socket = new Socket(_server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(_server.Address, 0));
        return socket;
    }

    /// <summary>A thread of its own: what waits for the thread pool comes late.</summary>
    private void Run(string name, Action loop) => new Thread(() =>
    {
        while (!_isDisposed)
        {
            try
            {
                loop();
            }
            catch (SocketException)
            {
                // An answer said that nobody is there any more, or this network is closed.
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }) { IsBackground = true, Name = $"network {name}" }.Start();
}
