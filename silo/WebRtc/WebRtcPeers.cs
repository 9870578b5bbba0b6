using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using VoiceGrains.WebRtc;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Sdp;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>The one port of this silo's WebRTC media, open as long as the silo runs, and the peers on it.</summary>
internal sealed partial class WebRtcPeers(
    IOptions<WebRtcOptions> options, TimeProvider clock, ILoggerFactory logs, IMeterFactory meters, ILogger<WebRtcPeers> logger) : IRoomPeerFactory, IHostedService, IAsyncDisposable
{
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private MediaEndpoint? _endpoint;

    /// <summary>UDP and TCP port; null before the start and where WebRTC is off.</summary>
    public int? Port => _endpoint?.Port;

    /// <summary>Why calls cannot be carried. Null: nothing is wrong, or WebRTC is off.</summary>
    public string? Problem => !options.Value.Enabled ? null : _endpoint is null ? "The media port is not open." : _endpoint.Problem;

    public IRoomPeer Create(AgentTrackIds agent, IRoomPeerSink sink)
        => new Peer(agent, _endpoint ?? throw new InvalidOperationException("WebRTC is not enabled on this silo."), _certificate, options.Value.Nack, sink, clock, logs.CreateLogger<PeerConnection>());

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Enabled) _endpoint = Open();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;       // conversations still say their last words

    public async ValueTask DisposeAsync()
    {
        if (_endpoint is not null) await _endpoint.DisposeAsync();
        _certificate.Dispose();
    }

    /// <exception cref="IOException">The configured port is taken.</exception>
    private MediaEndpoint Open()
    {
        if (options.Value.Port is { } configured) return Open(configured);
        try
        {
            return Open(WebRtcOptions.UsualPort);
        }
        catch (IOException taken) when (taken.InnerException is SocketException)
        {
            LogPortTaken(WebRtcOptions.UsualPort, taken.Message);
            return Open(0);
        }
    }

    private MediaEndpoint Open(int port) => MediaEndpoint.Start(
        new MediaEndpointOptions
        {
            Port = port,
            PublicAddresses = [.. options.Value.PublicAddresses.Select(IPAddress.Parse)],
            Interfaces = [.. options.Value.Interfaces],
        },
        clock, logs, meters);

    [LoggerMessage(9311, LogLevel.Warning, "Port {Port} is taken, so that WebRTC media take a free one: {Problem}")]
    private partial void LogPortTaken(int port, string problem);

    /// <summary>A peer connection as rooms see it.</summary>
    private sealed class Peer : IRoomPeer, IPeerSink
    {
        private readonly IRoomPeerSink _sink;
        private readonly PeerConnection _connection;

        public Peer(AgentTrackIds agent, MediaEndpoint endpoint, DtlsCertificate certificate, bool nack, IRoomPeerSink sink, TimeProvider clock, ILogger logger)
        {
            _sink = sink;
            var options = new PeerConnectionOptions { Endpoint = endpoint, Certificate = certificate, AgentStreamId = agent.StreamId, AgentTrackId = agent.TrackId, Nack = nack };
            _connection = new PeerConnection(options, this, clock, logger);
        }

        public PeerStatistics Statistics => _connection.Statistics;

        public PeerQuality Quality
        {
            get
            {
                var statistics = _connection.Statistics;
                return new PeerQuality(Math.Max(statistics.Loss, statistics.LossAtClient), statistics.RoundTrip ?? TimeSpan.Zero, statistics.LossAtClient);
            }
        }

        public TimeSpan PlayoutDelay => _sink.PlayoutDelay;

        public string? Answer(string offerSdp, bool sendsAgent)
        {
            try
            {
                return _connection.Answer(offerSdp, sendsAgent);
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SdpException { NeedsNewConnection: true })
            {
                return null;
            }
            catch (SdpException refused)
            {
                throw new FormatException(refused.Message, refused);
            }
        }

        public bool TrySendAudio(ReadOnlySpan<byte> opus, uint timestamp, bool marker) => _connection.TrySendAudio(opus, timestamp, marker);

        public bool TrySendData(string label, ReadOnlySpan<byte> message) => _connection.TrySendData(label, message);

        public void OnStateChanged(PeerState state)
        {
            _sink.OnConnected(state == PeerState.Connected);
            if (state is PeerState.Failed or PeerState.Closed) _sink.OnEnded();
        }

        public void OnAudio(ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel) => _sink.OnAudio(this, sequence, timestamp, opus, audioLevel);

        public void OnAudio(RemoteTrack track, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel)
            => _sink.OnAudio(track, sequence, timestamp, opus, audioLevel);

        public void OnData(string label, ReadOnlySpan<byte> message) => _sink.OnData(label, message);

        public ValueTask DisposeAsync() => _connection.DisposeAsync();
    }
}
