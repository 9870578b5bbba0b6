using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Sctp;
using VoiceGrains.WebRtc.Sdp;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc;

/// <summary>What a <see cref="PeerTransport"/> hands up. All but the state comes from the receive loop.</summary>
internal interface IPeerTransportSink
{
    /// <summary>The state may have changed: <see cref="PeerTransport.State"/>. Any thread.</summary>
    void OnTransportChanged(string reason);

    /// <param name="keys">Zeroed when this returns.</param>
    void OnSecured(SrtpKeys keys);

    /// <summary>Plain and authentic.</summary>
    void OnRtp(ReadOnlySpan<byte> packet);

    void OnRtcp(ReadOnlySpan<byte> packet);
    void OnMessage(string label, ReadOnlySpan<byte> message);
}

/// <summary>
/// The way to one client: ICE carries DTLS, and beside it SRTP with DTLS' keys; DTLS carries SCTP. Each layer starts when the one below is up, and survives every
/// later offer and ICE restart. Thread-safe.
/// </summary>
internal sealed class PeerTransport : IIceSink, IDtlsSink, ISctpSink, IDisposable
{
    /// <summary>Longest SRTP datagram that is opened, in bytes: above every path's MTU that media is sent over.</summary>
    private const int MaxDatagram = 2_048;

    private readonly Lock _gate = new();                        // what has started and ended; nothing is called out under it
    private readonly PeerConnectionOptions _options;
    private readonly IPeerTransportSink _sink;
    private readonly TimeProvider _clock;
    private readonly ITimer _iceTimer;
    private readonly byte[] _packet = new byte[MaxDatagram];    // of the receive loop, which delivers one datagram at a time
    private volatile DataChannel[] _channels = [];
    private volatile DtlsTransport? _dtls;
    private volatile SctpAssociation? _sctp;
    private volatile SrtpSession? _inbound;
    private volatile bool _isSecured;
    private readonly PeerMetrics _metrics;
    private long _handshakeStarted;
    private volatile bool _hasHandshakeStarted;
    private int _isHandshakeCounted;
    private bool _isDtlsClient;
    private bool _hasData;
    private PeerState? _end;
    private volatile bool _hasEnded;    // _end, for the audio path
    private long _unexpected;

    public PeerTransport(PeerConnectionOptions options, IPeerTransportSink sink, TimeProvider clock)
    {
        (_options, _sink, _clock, _metrics) = (options, sink, clock, options.Endpoint.PeerMetrics);
        _iceTimer = clock.CreateTimer(static state => ((PeerTransport)state!).OnIceTimeout(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Agent = options.Endpoint.CreateAgent(this);
    }

    public IceLiteAgent Agent { get; }

    public bool IsSecured => _isSecured;

    /// <summary>Datagrams that are not authentic, replayed, too long or that came before the keys.</summary>
    public long Refused => Unexpected + NotAuthentic + Replayed;

    /// <summary>Those that came before the keys, or are too long.</summary>
    public long Unexpected => Volatile.Read(ref _unexpected);
    public long NotAuthentic => _inbound?.Refused ?? 0;
    public long Replayed => _inbound?.Replayed ?? 0;

    /// <summary>Of the data channels.</summary>
    public SctpStatistics Data => _sctp?.Statistics ?? default;
    public bool HasAssociation => _sctp is { IsUp: true };

    public PeerState State
    {
        get
        {
            lock (_gate)
                return _end ?? (_dtls is null ? PeerState.New
                    : !_isSecured ? PeerState.Connecting
                    : Agent.State == IceState.Connected ? PeerState.Connected : PeerState.Disconnected);
        }
    }

    /// <summary>Takes what an offer says of the client's side. The first one sets up DTLS; a later one may bring data channels, or other ICE credentials.</summary>
    public void Apply(Negotiation negotiation)
    {
        var transport = negotiation.Transport;
        Agent.SetRemote(new IceCredentials(transport.UsernameFragment!, transport.Password!));
        lock (_gate)
        {
            if (_end is not null)
                return;
            _isDtlsClient = negotiation.IsDtlsClient;
            _hasData |= negotiation.Data is not null;
            _dtls ??= new DtlsTransport(_options.Certificate, _isDtlsClient ? DtlsRole.Client : DtlsRole.Server, transport.Fingerprint!, this, _clock);
            if (Agent.State != IceState.Connected)
                _iceTimer.Change(_options.IceTimeout, Timeout.InfiniteTimeSpan);
        }
        StartData();
    }

    /// <summary>Whether media has a way to the client now.</summary>
    public bool IsOpen => !_hasEnded && Agent.State == IceState.Connected;

    /// <summary>Sends a protected packet. Any thread.</summary>
    public bool TrySend(ReadOnlySpan<byte> datagram) => !_hasEnded && Agent.TrySend(datagram);

    /// <summary>Sends on the client's newest open channel of this label. Any thread.</summary>
    public bool TrySendData(string label, ReadOnlySpan<byte> message, bool isBinary)
    {
        if (_sctp is not { } sctp)
            return false;
        var channels = _channels;
        for (var i = channels.Length - 1; i >= 0; i--)
            if (channels[i].Label == label && channels[i].State == DataChannelState.Open)
                return sctp.TrySend(channels[i], message, isBinary);
        return false;
    }

    /// <summary>Ends the layers from the top down, so that each can say goodbye over the one below.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _hasEnded = true;
            _end ??= PeerState.Closed;
        }
        _iceTimer.Dispose();
        CountFailedHandshake();
        _sctp?.Dispose();
        _dtls?.Dispose();
        Agent.Dispose();
        _inbound?.Dispose();
    }

    void IIceSink.OnStateChanged(IceState state)
    {
        if (state == IceState.Connected)
        {
            _iceTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (!_hasHandshakeStarted)
                (_handshakeStarted, _hasHandshakeStarted) = (_clock.GetTimestamp(), true);
            _dtls?.Start();
        }
        if (state == IceState.Closed)
            End("The port was closed.");
        else
            _sink.OnTransportChanged(state == IceState.Connected ? "The client nominated a path." : "The client's consent to be sent to has ended.");
    }

    void IIceSink.OnDatagram(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > 2 && datagram[0] is >= 128 and <= 191)        // RFC 7983 §7
            OnProtected(datagram);
        else
            _dtls?.OnDatagram(datagram);
    }

    private void OnProtected(ReadOnlySpan<byte> datagram)
    {
        if (_inbound is not { } inbound || datagram.Length > MaxDatagram)
        {
            Volatile.Write(ref _unexpected, _unexpected + 1);
            return;
        }
        datagram.CopyTo(_packet);
        var length = datagram.Length;
        var isRtcp = datagram[1] is >= 192 and <= 223;                      // RFC 5761 §4
        if (!(isRtcp ? inbound.UnprotectRtcp(_packet, ref length) : inbound.Unprotect(_packet, ref length)))
            return;     // the session counts it
        if (isRtcp)
            _sink.OnRtcp(_packet.AsSpan(0, length));
        else
            _sink.OnRtp(_packet.AsSpan(0, length));
    }

    void IDtlsSink.Send(ReadOnlySpan<byte> datagram) => Agent.TrySend(datagram);

    void IDtlsSink.OnConnected(SrtpKeys keys)
    {
        _inbound = SrtpSession.Inbound(keys);
        _sink.OnSecured(keys);
        _isSecured = true;
        if (Interlocked.Exchange(ref _isHandshakeCounted, 1) == 0)
            _metrics.HandshakeDone(_clock.GetElapsedTime(_handshakeStarted));
        StartData();
        _sink.OnTransportChanged("The DTLS handshake is done.");
    }

    void IDtlsSink.OnData(ReadOnlySpan<byte> applicationData) => _sctp?.OnPacket(applicationData);

    void IDtlsSink.OnClosed(string reason)
    {
        CountFailedHandshake();
        End(reason);
    }

    void ISctpSink.Send(ReadOnlySpan<byte> packet) => _dtls?.TrySend(packet);

    void ISctpSink.OnChannel(DataChannel channel)
    {
        lock (_gate)
            _channels = [.. _channels, channel];
    }

    void ISctpSink.OnChannelClosed(DataChannel channel)
    {
        lock (_gate)
            _channels = [.. _channels.Where(other => other != channel)];
    }

    void ISctpSink.OnMessage(DataChannel channel, ReadOnlySpan<byte> message, bool isBinary) => _sink.OnMessage(channel.Label, message);

    void ISctpSink.OnClosed(string reason) => End(reason);

    /// <summary>Once DTLS is up and the client has offered a section for data, in whichever order.</summary>
    private void StartData()
    {
        SctpAssociation association;
        lock (_gate)
        {
            if (_sctp is not null || !_isSecured || !_hasData || _end is not null)
                return;
            _sctp = association = new SctpAssociation(_isDtlsClient, this, _options.Sctp, _clock);
        }
        association.Start();
    }

    private void OnIceTimeout()
    {
        if (Agent.State == IceState.Connected)
            return;
        if (End("No path to the client was found in time."))
            _metrics.IceTimedOut();
    }

    /// <summary>Once, where one had begun and has not succeeded.</summary>
    private void CountFailedHandshake()
    {
        if (_hasHandshakeStarted && _dtls is { } dtls && Interlocked.Exchange(ref _isHandshakeCounted, 1) == 0)
            _metrics.HandshakeFailed(dtls.Fault);
    }

    /// <summary>The end from outside; the owner disposes. False: it had ended before.</summary>
    private bool End(string reason)
    {
        lock (_gate)
        {
            if (_end is not null)
                return false;
            _hasEnded = true;
            _end = _isSecured && Agent.State != IceState.Disconnected ? PeerState.Closed : PeerState.Failed;
        }
        _sink.OnTransportChanged(reason);
        return true;
    }
}
