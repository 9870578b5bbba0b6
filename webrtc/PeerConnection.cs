using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using VoiceGrains.WebRtc.Sdp;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc;

/// <summary>
/// One client's connection as WebRTC's answering side: it never offers. It sends one Opus stream, the agent's, receives the client's microphone, and exchanges
/// data messages on the channels that the client opens.
/// </summary>
/// <remarks>
/// Any method may be called on any thread, except that one thread at a time sends audio. Offers are answered one after the other. Sending neither blocks nor
/// throws; audio allocates nothing.
/// </remarks>
public sealed partial class PeerConnection : IAsyncDisposable, IPeerTransportSink
{
    private readonly Lock _negotiating = new();
    private readonly PeerConnectionOptions _options;
    private readonly PeerTransport _transport;
    private readonly AudioSender _sender;
    private readonly Microphones _microphones;
    private readonly RtcpReporter _reporter;
    private readonly PeerStateTeller _teller;
    private readonly IPeerSink _sink;
    private readonly ILogger _logger;
    private readonly long _sessionId = RandomNumberGenerator.GetInt32(int.MaxValue) + 1L;
    private Negotiation? _negotiation;
    private int _answers;
    private volatile int _isDisposed;
    private long _maxMessageBytes;
    private long _requests;
    private long _lost;                 // of TakeCounts
    private long _lostByClient;

    /// <exception cref="ObjectDisposedException">The endpoint is closed.</exception>
    public PeerConnection(PeerConnectionOptions options, IPeerSink sink, TimeProvider clock, ILogger logger)
    {
        (_options, _sink, _logger) = (options, sink, logger);
        _microphones = new Microphones(clock);
        _transport = new PeerTransport(options, this, clock);
        _teller = new PeerStateTeller(_transport, sink, logger);
        _sender = new AudioSender(_transport, options.AgentSsrc, clock);
        _reporter = new RtcpReporter(_transport, _sender, _microphones, options, clock);
        options.Endpoint.PeerMetrics.Add(this);
    }

    public PeerState State => _transport.State;

    /// <summary>What is received now, as far as a packet has come: at most <see cref="PeerConnectionOptions.MaxMicrophones"/>.</summary>
    public IReadOnlyList<RemoteTrack> RemoteTracks => [.. _microphones.All.Select(microphone => microphone.Stream?.Track).OfType<RemoteTrack>()];

    public PeerStatistics Statistics
    {
        get
        {
            var sent = _sender.Statistics;
            var received = _microphones.All.Count > 0 ? _microphones.All[0].Stream?.Statistics : null;
            return new PeerStatistics
            {
                State = State,
                Ice = _transport.Agent.State,
                IsSecured = _transport.IsSecured,
                RemoteAddress = _transport.Agent.SelectedRemote,
                Transport = _transport.Agent.SelectedTransport,
                RoundTrip = sent.RoundTrip,
                PacketsSent = sent.Packets,
                BytesSent = sent.Octets,
                PacketsLostByClient = sent.CumulativeLost,
                LossAtClient = sent.FractionLost,
                JitterAtClient = sent.RemoteJitter,
                PacketsReceived = _microphones.Packets,
                BytesReceived = _microphones.Bytes,
                PacketsLost = _microphones.Lost,
                Loss = _reporter.Loss,
                Jitter = received?.Jitter ?? TimeSpan.Zero,
                PacketsUnrouted = _microphones.Unrouted,
                PacketsRefused = _transport.Refused,
                PacketsRequestedByClient = _sender.Requested,
                PacketsRetransmitted = _sender.Retransmitted,
                PacketsRequested = Interlocked.Read(ref _requests),
                PacketsRecovered = _microphones.Recovered,
            };
        }
    }

    /// <summary>Whether data channels can be used.</summary>
    internal bool HasAssociation => _transport.HasAssociation;

    /// <summary>
    /// Answers an offer: the first one, one with other sections or directions, or an ICE restart. What is connected stays so, with the same keys, channels and
    /// stream.
    /// </summary>
    /// <param name="sendsAgent">False leaves the agent's section inactive, so that the client's track of it ends; a later answer brings it back.</param>
    /// <returns>The complete answer, with our candidates in it.</returns>
    /// <exception cref="SdpException">The offer cannot be answered; the state before stands. <see cref="SdpException.NeedsNewConnection"/> tells whether another
    /// connection could: always where this one is <see cref="PeerState.Failed"/> or <see cref="PeerState.Closed"/>.</exception>
    /// <exception cref="ObjectDisposedException">The connection has ended on our side.</exception>
    public string Answer(string offerSdp, bool sendsAgent = true)
    {
        var offer = Parse(offerSdp);
        string answer;
        lock (_negotiating)
        {
            ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
            if (_transport.State is PeerState.Failed or PeerState.Closed)
                throw new SdpException("The connection has ended.") { NeedsNewConnection = true };
            var negotiation = Negotiation.Decide(offer, _negotiation, _options.MaxMicrophones, _options.Nack, sendsAgent);
            if (_negotiation is not null && negotiation.IsIceRestartOf(_negotiation))
                _transport.Agent.Restart();
            _negotiation = negotiation;
            _microphones.Negotiate(negotiation);
            _sender.Negotiate(negotiation.Agent?.Offered.Opus?.PayloadType, negotiation.Agent is { HasNack: true });
            Volatile.Write(ref _maxMessageBytes, MaxMessageBytes(negotiation));
            _transport.Apply(negotiation);
            answer = SdpAnswer.Write(negotiation, Describe());
        }
        _teller.Tell("An offer was answered.");
        return answer;
    }

    /// <summary>Sends one packet of the agent's audio.</summary>
    /// <param name="opus">One Opus packet of 20 ms.</param>
    /// <param name="timestamp">Time of its first sample in units of 1/48,000 s, from any start; it moves on through pauses.</param>
    /// <param name="marker">First packet after a pause (RFC 3551 §4.1).</param>
    /// <returns><see langword="false"/>: not connected, the client takes no audio now, or the packet could not be sent. Treat it as lost.</returns>
    public bool TrySendAudio(ReadOnlySpan<byte> opus, uint timestamp, bool marker) => _sender.TrySend(opus, timestamp, marker);

    /// <summary>Sends a message on the client's channel of this label, in the channel's own way (reliable or not).</summary>
    /// <param name="isBinary">False sends it as text; it must then be UTF-8. LiveKit clients take binary ones only.</param>
    /// <returns><see langword="false"/>: no such channel is open, the client takes no message of this size, or too much waits to be sent.</returns>
    public bool TrySendData(string label, ReadOnlySpan<byte> message, bool isBinary = true)
        => message.Length <= Volatile.Read(ref _maxMessageBytes) && _transport.TrySendData(label, message, isBinary);

    /// <summary>Says goodbye on every layer, and forgets the client. Repeated calls do nothing. A call of the sink that has begun may still run.</summary>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return ValueTask.CompletedTask;
        _teller.Stop();
        _reporter.Dispose();
        _options.Endpoint.PeerMetrics.Remove(this);     // while all of its parts can be read
        lock (_negotiating)
            _transport.Dispose();
        _sender.Dispose();
        return ValueTask.CompletedTask;
    }

    void IPeerTransportSink.OnTransportChanged(string reason) => _teller.Tell(reason);

    void IPeerTransportSink.OnSecured(SrtpKeys keys)
    {
        _sender.Secure(keys);
        _reporter.Secure(keys);
    }

    void IPeerTransportSink.OnRtp(ReadOnlySpan<byte> packet)
    {
        try
        {
            if (_microphones.OnRtp(packet, _sink) is { Losses.HasMissing: true } stream)
                AskAgain(stream);
        }
        catch (Exception exception)
        {
            LogSinkFailed(nameof(IPeerSink.OnAudio), exception);
        }
    }

    void IPeerTransportSink.OnRtcp(ReadOnlySpan<byte> packet) => _reporter.OnRtcp(packet);

    void IPeerTransportSink.OnMessage(string label, ReadOnlySpan<byte> message)
    {
        try
        {
            _sink.OnData(label, message);
        }
        catch (Exception exception)
        {
            LogSinkFailed(nameof(IPeerSink.OnData), exception);
        }
    }

    /// <summary>What was counted so far, for the metrics of all. One thread at a time.</summary>
    internal PeerCounts TakeCounts()
    {
        // A duplicate or a late packet lessens a loss that was told already; a counter cannot.
        _lost = Math.Max(_lost, _microphones.Lost);
        _lostByClient = Math.Max(_lostByClient, _sender.Statistics.CumulativeLost);
        var data = _transport.Data;
        return new PeerCounts
        {
            PacketsReceived = _microphones.Packets,
            PacketsSent = _sender.Statistics.Packets,
            PacketsLost = _lost,
            PacketsLostByClient = _lostByClient,
            PacketsUnrouted = _microphones.Unrouted,
            PacketsRequested = Interlocked.Read(ref _requests),
            PacketsRequestedByClient = _sender.Requested,
            PacketsRecovered = _microphones.Recovered,
            PacketsRetransmitted = _sender.Retransmitted,
            NotAuthentic = _transport.NotAuthentic,
            Replayed = _transport.Replayed,
            Unexpected = _transport.Unexpected,
            MessagesReceived = data.MessagesReceived,
            MessagesSent = data.MessagesSent,
            MessagesRefused = data.MessagesRefused,
            SctpPacketsRefused = data.PacketsRefused,
            SctpPacketsUnsent = data.PacketsDropped,
        };
    }

    private void AskAgain(ReceivedStream stream)
    {
        if (_sender.Statistics.RoundTrip is not { } roundTrip)
            return;     // whether it would come in time cannot be told
        var lost = stream.Losses.Choose(roundTrip, _sink.PlayoutDelay);
        if (!lost.IsEmpty && _reporter.TryRequest(stream.Track.Ssrc, lost))
            Interlocked.Add(ref _requests, lost.Length);
    }

    /// <summary>Sections never vanish, and a client may add one each time that it publishes its microphone: on a new connection its offers are short again.</summary>
    private SdpSession Parse(string offerSdp)
    {
        try
        {
            return SdpParser.Parse(offerSdp);
        }
        catch (SdpException refused) when (refused.IsTooLarge && Volatile.Read(ref _negotiation) is not null)
        {
            throw new SdpException(refused.Message) { NeedsNewConnection = true };
        }
    }

    private LocalDescription Describe()
    {
        var local = _transport.Agent.Local;
        return new LocalDescription
        {
            SessionId = _sessionId,
            Version = ++_answers,
            UsernameFragment = local.UsernameFragment,
            Password = local.Password,
            Fingerprint = _options.Certificate.Fingerprint,
            Candidates = [.. _options.Endpoint.Candidates.Select(candidate => candidate.ToString())],
            AgentMsid = new SdpMsid(_options.AgentStreamId, _options.AgentTrackId),
            AgentSsrc = _options.AgentSsrc,
            Cname = _options.Cname,
            MaxMessageSize = _options.Sctp.MaxMessageBytes,
        };
    }

    private static long MaxMessageBytes(Negotiation negotiation) => negotiation.Data?.Offered.MaxMessageSize switch
    {
        null => 65_536,
        0 => long.MaxValue,
        { } bytes => bytes,
    };

    [LoggerMessage(2221, LogLevel.Error, "A WebRTC peer's owner failed in {Member}")]
    private partial void LogSinkFailed(string member, Exception exception);
}
