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
    private const int SweepsPerAddressLookup = 10;
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<IceLiteAgent, bool> _agents = new();
    private readonly IceDirectory _directory = new();
    private readonly MediaEndpointOptions _options;
    private readonly IceConsent _consent;
    private readonly TransportCounters _counters;
    private readonly DatagramRouter _router;
    private readonly ILogger _logger;
    private readonly ITimer _sweep;
    private readonly MediaSockets _sockets;
    private readonly Func<IReadOnlyList<IPAddress>> _findAddresses;
    private volatile IReadOnlyList<IceCandidate> _candidates;
    private volatile bool _isClosed;
    private int _sweeps;
    private int _isSweeping;
    private string? _told;

    private MediaEndpoint(MediaEndpointOptions options, TimeProvider clock, ILoggerFactory logs, IMeterFactory? meters, Func<IReadOnlyList<IPAddress>> findAddresses)
    {
        (_options, _findAddresses) = (options, findAddresses);
        _logger = logs.CreateLogger<MediaEndpoint>();
        _consent = new IceConsent(clock, options.ConsentLifetime);
        _counters = new TransportCounters(meters, MeasureAgents, () => TcpConnections);
        PeerMetrics = new PeerMetrics(meters);
        _router = new DatagramRouter(new IceCheckResponder(_directory, _consent, _counters), _consent, _counters, _logger);
        _sockets = MediaSockets.Open(findAddresses(), new MediaSocketContext(options, _router, _counters, clock, _logger));
        _candidates = CreateCandidates(_sockets.Addresses);
        _sweep = clock.CreateTimer(_ => Sweep(), null, SweepPeriod, SweepPeriod);
    }

    /// <summary>The number of the UDP and the TCP port.</summary>
    public int Port => _sockets.Port;

    /// <summary>What every answer advertises: public addresses, then the machine's own; all UDP ones, then TCP passive ones. Follows the machine's addresses.</summary>
    public IReadOnlyList<IceCandidate> Candidates => _candidates;

    /// <summary>Why calls cannot be carried: the port is closed, or one of its sockets takes nothing any more. Null: nothing is wrong.</summary>
    public string? Problem => _isClosed ? "The port is closed."
        : _sockets.Silent.ToList() is { Count: > 0 } silent ? $"Nothing is taken any more on {string.Join(", ", silent)}." : null;

    /// <summary>TCP connections that are open.</summary>
    internal int TcpConnections => _sockets?.Tcp?.Count ?? 0;   // a meter may read while the sockets are being opened

    /// <summary>What the connections on this endpoint did.</summary>
    internal PeerMetrics PeerMetrics { get; }

    /// <summary>Counts of this endpoint.</summary>
    internal TransportCounters Counters => _counters;

    /// <summary>Opens the sockets and starts to receive.</summary>
    /// <param name="meters">Makes the meter "VoiceGrains.WebRtc"; null measures nothing.</param>
    /// <exception cref="IOException">The port is taken, or no address can be listened on.</exception>
    public static MediaEndpoint Start(MediaEndpointOptions options, TimeProvider clock, ILoggerFactory logs, IMeterFactory? meters = null)
        => Start(options, clock, logs, meters, () => LocalAddresses.Find(options));

    internal static MediaEndpoint Start(
        MediaEndpointOptions options, TimeProvider clock, ILoggerFactory logs, IMeterFactory? meters, Func<IReadOnlyList<IPAddress>> findAddresses)
    {
        var endpoint = new MediaEndpoint(options, clock, logs, meters, findAddresses);
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
        if (_isClosed || Interlocked.Exchange(ref _isSweeping, 1) != 0)
            return;   // the last one is still at work
        try
        {
            foreach (var (agent, _) in _agents)
                Expire(agent);
            _sockets.Tcp?.CloseIdle();
            TellProblem();
            if (++_sweeps % SweepsPerAddressLookup == 0)
                FollowAddresses();
        }
        finally
        {
            Volatile.Write(ref _isSweeping, 0);
        }
    }

    /// <summary>Once for each.</summary>
    private void TellProblem()
    {
        var problem = Problem;
        if (problem is not null && problem != _told)
            LogProblem(problem);
        _told = problem;
    }

    private void Expire(IceLiteAgent agent)
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

    /// <summary>Listens on addresses that the machine got, no longer advertises those that it lost, and closes their sockets when nobody is there any more: a change of network needs no restart.</summary>
    private void FollowAddresses()
    {
        try
        {
            var addresses = _findAddresses();
            _sockets.Add(addresses);
            var usable = addresses.Intersect(_sockets.Addresses).ToList();
            if (usable.Count == 0)
                return;
            _candidates = CreateCandidates(usable);
            _sockets.CloseLost(addresses);
        }
        catch (Exception exception)
        {
            LogNoAddresses(exception);   // what was advertised stays, and the timer's thread with it
        }
    }

    private IReadOnlyList<IceCandidate> CreateCandidates(IReadOnlyList<IPAddress> own)
    {
        IEnumerable<IPAddress> all = _options.PublicAddresses.Count > 0 && !_options.AdvertiseHostAddresses ? _options.PublicAddresses : _options.PublicAddresses.Concat(own);
        return IceCandidates.Create([.. all.Distinct()], Port, _options.Tcp);
    }

    private IEnumerable<Measurement<int>> MeasureAgents() => Enum.GetValues<IceState>().Where(state => state != IceState.Closed)
        .Select(state => new Measurement<int>(_agents.Keys.Count(agent => agent.State == state), new KeyValuePair<string, object?>("state", state.ToString().ToLowerInvariant())));

    [LoggerMessage(2202, LogLevel.Information, "WebRTC media on port {Port} of {Addresses}, receive buffers of {ReceiveBufferKiB} KiB")]
    private partial void LogListening(int port, string addresses, int receiveBufferKiB);

    [LoggerMessage(2203, LogLevel.Error, "A call could not be told that its peer is silent")]
    private partial void LogSinkFailed(Exception exception);

    [LoggerMessage(2206, LogLevel.Error, "WebRTC media: {Problem}")]
    private partial void LogProblem(string problem);

    [LoggerMessage(2205, LogLevel.Warning, "This machine's addresses could not be read")]
    private partial void LogNoAddresses(Exception exception);
}
