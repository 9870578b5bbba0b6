using System.Net;
using System.Net.Sockets;
using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>
/// One TCP connection of a client: datagrams, each behind its length in two bytes (RFC 4571 §2). Its first frame must be an authenticated check; what
/// cannot be sent in time is lost, as over UDP.
/// </summary>
internal sealed class TcpConnection : IcePath, IDatagramOrigin
{
    private const int SystemSendBufferBytes = 32 << 10;   // the system's default would hold half a minute of audio

    private readonly Socket _socket;
    private readonly TcpPort _owner;
    private readonly MediaSocketContext _context;
    private readonly TcpFrameReader _frames = new(DatagramRouter.MaxLength);
    private readonly TcpSendQueue _queue;
    private readonly TransportAddress _remote;
    private volatile IcePair? _pair;
    private volatile bool _isAuthenticated;
    private long _lastFrame;
    private int _isClosed;

    public TcpConnection(Socket socket, IPAddress client, TcpPort owner, MediaSocketContext context)
    {
        (_socket, Client, _owner, _context) = (socket, client, owner, context);
        _remote = TransportAddress.From((IPEndPoint)socket.RemoteEndPoint!);
        socket.NoDelay = true;
        socket.SendBufferSize = SystemSendBufferBytes;
        _queue = new TcpSendQueue(socket, context.Options.TcpSendQueueBytes, context.Clock, Close);
        _lastFrame = context.Clock.GetTimestamp();
    }

    /// <summary>What connections are bounded by.</summary>
    public IPAddress Client { get; }

    public bool IsAuthenticated => _isAuthenticated;

    /// <summary>Ends with the receive loop.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public override TransportAddress Remote => _remote;

    public IcePair? Pair => _pair;

    public void Start() => Completion = Task.Run(ReceiveAsync);

    public override bool TrySend(ReadOnlySpan<byte> datagram)
    {
        if (_queue.TrySend(datagram))
        {
            _context.Counters.Sent();
            return true;
        }
        _context.Counters.Dropped(DropReason.QueueFull);
        return false;
    }

    /// <summary>The first check was authentic: the connection is a client's from now on.</summary>
    public override void Bind(IcePair pair)
    {
        _pair = pair;
        if (_isAuthenticated)
            return;
        _isAuthenticated = true;
        _owner.Authenticated(this);
    }

    public override void Unbind(IcePair pair)
    {
        if (_pair != pair)
            return;
        _pair = null;
        Close();
    }

    public bool Reply(ReadOnlySpan<byte> datagram) => TrySend(datagram);

    public IcePath OpenPath() => this;

    /// <summary>Closes it at once; what waits to be sent is lost. Any thread.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
            return;
        _queue.Close();
        _socket.Dispose();
    }

    public void CloseIfIdle()
    {
        var options = _context.Options;
        var limit = _isAuthenticated ? options.TcpIdleTimeout : options.TcpFirstFrameTimeout;
        if (_context.Clock.GetElapsedTime(Volatile.Read(ref _lastFrame)) < limit && !_queue.IsStalled(options.TcpStallTimeout))
            return;
        _context.Counters.TcpRefused();
        Close();
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (await _socket.ReceiveAsync(_frames.Free) is var length and > 0)
            {
                _frames.Received(length);
                if (!TakeFrames())
                {
                    _context.Counters.TcpRefused();
                    break;
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // reset by the client, or closed here
        }
        finally
        {
            Close();
            _owner.Closed(this);
            _frames.Dispose();
            if (_pair is { } pair)
                pair.Agent.Remove(pair);
        }
    }

    /// <summary>Takes all whole frames that are there.</summary>
    /// <returns><see langword="false"/>: this is no client of ours, or no framing.</returns>
    private bool TakeFrames()
    {
        while (_frames.TryRead(out var frame))
        {
            if (frame.IsEmpty)
                continue;   // RFC 4571 §2 allows null packets
            Volatile.Write(ref _lastFrame, _context.Clock.GetTimestamp());
            _context.Router.Route(this, frame);
            if (!_isAuthenticated)
                return false;
        }
        return !_frames.IsBroken;
    }
}
