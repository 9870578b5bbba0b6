using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>A UDP socket on one local address, with its receive loop and the remote addresses that were validated on it.</summary>
/// <remarks>
/// The loop is a thread that sleeps in the system's receive call. By an asynchronous one each datagram would wake two threads one after the other, the runtime's
/// for events and one of the pool, which costs as much CPU as all the rest of its way to the call.
/// <para/>
/// A socket for each address instead of one for all: answers then leave from the address that was asked, which a peer's check insists on
/// (RFC 8445 §7.2.5.2.1), also where an interface has several.
/// </remarks>
internal sealed class UdpPort : IDatagramOrigin, IDisposable, IAsyncDisposable
{
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(10);

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(65_536, pinned: true);   // no datagram is longer, so none is cut
    private readonly ConcurrentDictionary<TransportAddress, IcePair> _pairs = new();
    private readonly Socket _socket;
    private readonly SocketAddress _sender;
    private readonly DatagramRouter _router;
    private readonly TransportCounters _counters;
    private TransportAddress _remote;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStarted;
    private volatile bool _isClosed;
    private readonly LoopFailures _failures;    // 20 in a row, at 10 ms each, are at least a fifth of a second without one that worked

    /// <exception cref="SocketException">The port is taken, or the address is not this machine's.</exception>
    public UdpPort(IPEndPoint local, MediaSocketContext context)
    {
        (_router, _counters) = (context.Router, context.Counters);
        _sender = new SocketAddress(local.AddressFamily);
        _socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (local.AddressFamily == AddressFamily.InterNetworkV6)
                _socket.DualMode = false;
            _socket.ReceiveBufferSize = context.Options.ReceiveBufferBytes;
            _socket.SendBufferSize = context.Options.SendBufferBytes;
            _socket.Bind(local);
            Local = (IPEndPoint)_socket.LocalEndPoint!;
            _failures = new LoopFailures($"Receiving on UDP {Local}", context.Clock, context.Logger);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public IPEndPoint Local { get; }

    /// <summary>What the system granted of the asked receive buffer, in bytes.</summary>
    public int ReceiveBufferBytes => _socket.ReceiveBufferSize;

    TransportAddress IDatagramOrigin.Remote => _remote;

    IcePair? IDatagramOrigin.Pair => _pairs.GetValueOrDefault(_remote);

    /// <summary>Whether datagrams are taken: false before the start, after the end, and while one receive after the other fails.</summary>
    public bool IsReceiving => _isStarted && !_isClosed && !_failures.AreMany;

    /// <summary>Whether a call may use it.</summary>
    public bool IsInUse => !_pairs.IsEmpty;

    public void Start()
    {
        _isStarted = true;
        new Thread(ReceiveAll) { Name = "webrtc-udp", IsBackground = true }.Start();
    }

    /// <summary>Sends without waiting; a loss is counted.</summary>
    public bool TrySend(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> socketAddress)
    {
        if (NativeUdp.Send(_socket.SafeHandle, datagram, socketAddress) is { } loss)
        {
            _counters.Dropped(loss);
            return false;
        }
        _counters.Sent();
        return true;
    }

    public void Bind(TransportAddress remote, IcePair pair) => _pairs[remote] = pair;

    public void Unbind(TransportAddress remote, IcePair pair) => _pairs.TryRemove(new(remote, pair));

    bool IDatagramOrigin.Reply(ReadOnlySpan<byte> datagram) => TrySend(datagram, _sender.Buffer.Span[.._sender.Size]);

    IcePath IDatagramOrigin.OpenPath() => new UdpPath(this, _remote);

    /// <summary>Closes the socket; the receive loop ends soon after.</summary>
    public void Dispose()
    {
        _isClosed = true;
        _socket.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Dispose();
        if (_isStarted)
            await _ended.Task;
    }

    private void ReceiveAll()
    {
        while (!_isClosed)
        {
            try
            {
                Receive(_buffer.AsSpan(0, _socket.ReceiveFrom(_buffer, SocketFlags.None, _sender)));
                _failures.Worked();
            }
            catch (Exception exception)   // none is expected on an unconnected socket, nor from what handles datagrams; left alone it would end the process
            {
                if (_isClosed)
                    break;
                _counters.Dropped(DropReason.Failed);
                _failures.Note(exception);
                Thread.Sleep(PauseAfterError);      // whatever it is must not spin
            }
        }
        _ended.SetResult();
    }

    private void Receive(ReadOnlySpan<byte> datagram)
    {
        if (TransportAddress.TryRead(_sender.Buffer.Span[.._sender.Size], out _remote))
            _router.Route(this, datagram);
    }
}
