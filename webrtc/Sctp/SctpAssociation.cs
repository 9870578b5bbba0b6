using System.Buffers;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>
/// One SCTP association of data channels (RFC 8831) over a DTLS transport (RFC 8261). Any method may be called on any thread.
/// </summary>
/// <remarks>
/// Native calls are made under the association's gate, which is never held while the sink is called. Received messages wait in usrsctp's receive buffer,
/// so a sink that is slow shuts the peer's window instead of filling our memory.
/// </remarks>
public sealed partial class SctpAssociation : IDisposable
{
    private readonly ISctpSink _sink;
    private readonly SctpOptions _options;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private readonly PacketQueue _packets = new();
    private SctpSocket? _socket;
    private ITimer? _connectTimer;
    private bool _isStarted;
    private bool _isUp;
    private volatile bool _isDisposed;
    private volatile string? _failure;
    private bool _isClosed;
    private int _sendRequests;
    private int _dispatchRequests;

    /// <param name="isDtlsClient">The DTLS client's channels have even numbers, the server's odd ones (RFC 8832 §6).</param>
    /// <param name="clock">Times <see cref="SctpOptions.ConnectTimeout"/>; retransmissions always run on real time.</param>
    public SctpAssociation(bool isDtlsClient, ISctpSink sink, SctpOptions options, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(options.StreamCount, Math.Clamp(options.StreamCount, 16, 1024));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxMessageBytes, options.ReceiveBufferBytes / 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxMessageBytes, options.SendBufferBytes);
        (_isDtlsClient, _sink, _options, _clock) = (isDtlsClient, sink, options, clock);
    }

    /// <summary>True between the handshake and the end.</summary>
    public bool IsUp => Volatile.Read(ref _isUp);

    public SctpStatistics Statistics => new(
        Interlocked.Read(ref _messagesSent), Interlocked.Read(ref _messagesReceived), Interlocked.Read(ref _messagesRefused),
        Interlocked.Read(ref _packetsDropped), Interlocked.Read(ref _packetsRefused));

    /// <summary>Sends INIT, as the peer does: the two handshakes become one association (RFC 9260 §5.2.1). Call once DTLS is up.</summary>
    /// <exception cref="InvalidOperationException">usrsctp has no memory for it.</exception>
    public void Start()
    {
        lock (_gate)
        {
            if (_isStarted || _isDisposed)
                return;
            _isStarted = true;
            _socket = SctpStack.Instance.Open(this, _options);
            _socket.Connect(_options);
            _connectTimer = _clock.CreateTimer(
                static state => ((SctpAssociation)state!).OnConnectTimeout(), this, _options.ConnectTimeout, Timeout.InfiniteTimeSpan);
        }
        Flush();
    }

    /// <summary>Takes a packet that DTLS has decrypted. Any bytes will do: what is not valid SCTP is dropped. Ignored before <see cref="Start"/>.</summary>
    public void OnPacket(ReadOnlySpan<byte> packet)
    {
        if (!SctpPacketGuard.Allows(packet))
        {
            Interlocked.Increment(ref _packetsRefused);
            return;
        }
        lock (_gate)
        {
            if (_socket is null)
                return;
            _socket.Input(packet);
        }
        Flush();
        Dispatch();
    }

    /// <summary>Aborts the association (the peer is told, if the sink still sends) and closes its channels. Idempotent; waits for no callback.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        lock (_gate)
            CloseNative();
        Flush();
    }

    internal void OnOutput(ReadOnlySpan<byte> packet)
    {
        if (!_packets.TryAdd(packet))
            Interlocked.Increment(ref _packetsDropped);
    }

    /// <param name="isPoll">Also look for notifications, and repeat what found no room before.</param>
    internal void OnTick(bool isPoll)
    {
        Flush();
        if (!isPoll)
            return;
        lock (_gate)
        {
            if (_socket is null)
                return;
            PumpControls();
            PumpResets();
        }
        Flush();
        Dispatch();
    }

    private void OnConnectTimeout()
    {
        if (!IsUp)
            Fail("The association did not come up in time.");
    }

    /// <summary>Ends the association; <see cref="ISctpSink.OnClosed"/> follows in its turn.</summary>
    private void Fail(string reason)
    {
        _failure ??= reason;
        Dispatch();
    }

    /// <summary>Under the gate.</summary>
    private void CloseNative()
    {
        if (_socket is not null)
            SctpStack.Instance.Close(_socket);
        _socket = null;
        _connectTimer?.Dispose();
        _isUp = false;
        CloseChannels();
    }

    /// <summary>Sends what the library wants sent. One thread at a time: another one leaves its packets to it.</summary>
    private void Flush()
    {
        if (_packets.IsEmpty || Interlocked.Increment(ref _sendRequests) != 1)
            return;
        int seen;
        do
        {
            seen = Volatile.Read(ref _sendRequests);
            while (_packets.TryTake(out var buffer, out var length))
            {
                try
                {
                    _sink.Send(buffer.AsSpan(0, length));
                }
                catch (Exception)
                {
                    Interlocked.Increment(ref _packetsDropped);     // as good as lost on the way, and no reason to stop the timers of all calls
                }
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        while (Interlocked.Add(ref _sendRequests, -seen) != 0);
    }

    /// <summary>Hands over what was received. One thread at a time: another one leaves its messages to it.</summary>
    private void Dispatch()
    {
        if (Interlocked.Increment(ref _dispatchRequests) != 1)
            return;
        int seen;
        do
        {
            seen = Volatile.Read(ref _dispatchRequests);
            try
            {
                ReceiveAll();
            }
            catch (Exception error)
            {
                _failure ??= $"The owner of the association failed with {error.GetType().Name}.";
            }
            if (_failure is { } reason)
                Close(reason);
        }
        while (Interlocked.Add(ref _dispatchRequests, -seen) != 0);
    }

    private void Close(string reason)
    {
        lock (_gate)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            CloseNative();
        }
        Flush();
        try
        {
            if (!_isDisposed)
                _sink.OnClosed(reason);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _messagesRefused);    // nobody is left to tell
        }
    }

    private void ReceiveAll()
    {
        lock (_gate)
        {
            if (_socket is null || !_socket.HasEvents())
                return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(_options.MaxMessageBytes + 1);
        try
        {
            while (_failure is null && TryReceive(buffer, out var length, out var info, out var flags))
            {
                var bytes = buffer.AsSpan(0, length);
                if ((flags & UsrSctp.Notification) != 0)
                    OnNotification(bytes);
                else
                    OnData(bytes, info, isEnd: (flags & UsrSctp.EndOfRecord) != 0);
                Flush();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TryReceive(byte[] buffer, out int length, out UsrSctp.ReceiveInfo info, out int flags)
    {
        (length, info, flags) = (-1, default, 0);
        lock (_gate)
        {
            if (_socket is null || _isDisposed)
                return false;
            length = _socket.Receive(buffer.AsSpan(0, _options.MaxMessageBytes + 1), out info, out flags);
        }
        if (length == 0)
            _failure ??= "The peer shut the association down.";
        return length > 0;
    }

    private void OnNotification(ReadOnlySpan<byte> notification)
    {
        switch (SctpNotification.Type(notification))
        {
            case SctpNotification.AssociationChange:
                var change = SctpNotification.ReadAssociationChange(notification);
                if (change.State == SctpNotification.CommunicationUp)
                    OnUp(change.OutgoingStreams);
                else
                    _failure ??= SctpNotification.Explain(change.State, change.Error);
                break;
            case SctpNotification.StreamReset:
                OnReset(SctpNotification.Flags(notification), SctpNotification.ReadResetStreams(notification));
                break;
            case SctpNotification.PartialDelivery:
                _isDiscarding = false;                      // the rest of a message that was too long will not come
                break;
        }
    }
}
