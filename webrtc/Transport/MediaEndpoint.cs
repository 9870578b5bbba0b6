using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>
/// One port for the media of all WebRTC calls of a silo: UDP, and TCP of the same number, on each local address. Follow a datagram: <see cref="UdpPort"/> or
/// <see cref="TcpConnection"/> receives it, <see cref="DatagramRouter"/> finds its call, <see cref="IceCheckResponder"/> answers it when it is a check.
/// Thread-safe.
/// </summary>
public sealed partial class MediaEndpoint : IAsyncDisposable
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<IceLiteAgent, bool> _agents = new();
    private readonly IceDirectory _directory = new();
    private readonly MediaEndpointOptions _options;
    private readonly IceConsent _consent;
    private readonly TransportCounters _counters;
    private readonly DatagramRouter _router;
    private readonly ILogger _logger;
    private readonly ITimer _sweep;
    private MediaSockets _sockets;
    private volatile bool _isClosed;

    private MediaEndpoint(MediaEndpointOptions options, TimeProvider clock, ILoggerFactory logs, IMeterFactory? meters)
    {
        _options = options;
        _logger = logs.CreateLogger<MediaEndpoint>();
        _consent = new IceConsent(clock, options.ConsentLifetime);
        _counters = new TransportCounters(meters, MeasureAgents, () => _sockets?.Tcp?.Count ?? 0);
        _router = new DatagramRouter(new IceCheckResponder(_directory, _consent, _counters), _consent, _counters, _logger);
        var context = new MediaSocketContext(options, _router, _counters, clock, _logger);
        var addresses = LocalAddresses.Find(options);
        _sockets = MediaSockets.Open(addresses, context);
        var advertised = options.PublicAddresses.Count > 0 && !options.AdvertiseHostAddresses ? options.PublicAddresses : [.. options.PublicAddresses, .. _sockets.Addresses];
        Candidates = IceCandidates.Create([.. advertised.Distinct()], Port, options.Tcp);
        _sweep = clock.CreateTimer(_ => Sweep(), null, SweepPeriod, SweepPeriod);
    }

    /// <summary>The number of the UDP and the TCP port.</summary>
    public int Port => _sockets.Port;

    /// <summary>What every answer advertises: public addresses, then the machine's own; all UDP ones, then TCP passive ones.</summary>
    public IReadOnlyList<IceCandidate> Candidates { get; }

    /// <summary>TCP connections that are open.</summary>
    internal int TcpConnections => _sockets.Tcp?.Count ?? 0;

    /// <summary>Counts of this endpoint.</summary>
    internal TransportCounters Counters => _counters;

    /// <summary>Opens the sockets and starts to receive.</summary>
    /// <param name="meters">Makes the meter "VoiceGrains.WebRtc"; null measures nothing.</param>
    /// <exception cref="IOException">The port is taken, or no address can be listened on.</exception>
    public static MediaEndpoint Start(MediaEndpointOptions options, TimeProvider clock, ILoggerFactory logs, IMeterFactory? meters = null)
    {
        var endpoint = new MediaEndpoint(options, clock, logs, meters);
        endpoint._sockets.Start();
        endpoint.LogListening(endpoint.Port, string.Join(", ", endpoint._sockets.Addresses), endpoint._sockets.ReceiveBufferBytes >> 10);
        return endpoint;
    }

    /// <summary>Makes the agent of one call, with credentials of its own. The caller disposes it.</summary>
    /// <exception cref="ObjectDisposedException">The endpoint is closed.</exception>
    public IceLiteAgent CreateAgent(IIceSink sink)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        var agent = new IceLiteAgent(_directory, _consent, sink, _options.MaxPairsPerAgent, closed => _agents.TryRemove(closed, out _));
        _agents[agent] = true;
        return agent;
    }

    /// <summary>Closes the sockets and the agents that are left; these are told <see cref="IceState.Closed"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isClosed)
            return;
        _isClosed = true;
        await _sweep.DisposeAsync();
        foreach (var agent in _agents.Keys)
        {
            agent.Dispose();
            agent.TellState();
        }
        await _sockets.DisposeAsync();
        _counters.Dispose();
    }

    private void Sweep()
    {
        foreach (var (agent, _) in _agents)
        {
            try
            {
                agent.ExpirePairs();
            }
            catch (Exception exception)
            {
                LogSinkFailed(exception);
            }
        }
        _sockets.Tcp?.CloseIdle();
    }

    private IEnumerable<Measurement<int>> MeasureAgents() => Enum.GetValues<IceState>().Where(state => state != IceState.Closed)
        .Select(state => new Measurement<int>(_agents.Keys.Count(agent => agent.State == state), new KeyValuePair<string, object?>("state", state.ToString().ToLowerInvariant())));

    [LoggerMessage(2202, LogLevel.Information, "WebRTC media on port {Port} of {Addresses}, receive buffers of {ReceiveBufferKiB} KiB")]
    private partial void LogListening(int port, string addresses, int receiveBufferKiB);

    [LoggerMessage(2203, LogLevel.Error, "A call could not be told that its peer is silent")]
    private partial void LogSinkFailed(Exception exception);
}
