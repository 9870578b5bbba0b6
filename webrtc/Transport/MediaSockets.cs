using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.WebRtc.Transport;

internal sealed record MediaSocketContext(MediaEndpointOptions Options, DatagramRouter Router, TransportCounters Counters, TimeProvider Clock, ILogger Logger);

/// <summary>An endpoint's sockets: for each address a UDP one and a TCP listener, all on one port number.</summary>
internal sealed partial class MediaSockets : IAsyncDisposable
{
    private const int Attempts = 32;

    /// <summary>At 10 s each, a minute: an interface that was down for a moment keeps its sockets.</summary>
    private const int LookupsUntilClosed = 6;

    private readonly HashSet<IPAddress> _unavailable = [];
    private readonly Dictionary<IPAddress, int> _lost = [];
    private readonly MediaSocketContext _context;
    private readonly ILogger _logger;
    private volatile UdpPort[] _udp = [];

    private MediaSockets(MediaSocketContext context)
    {
        (_context, _logger) = (context, context.Logger);
        Tcp = context.Options.Tcp ? new TcpPort(context) : null;
    }

    public int Port { get; private set; }

    public IReadOnlyList<IPAddress> Addresses => [.. _udp.Select(port => port.Local.Address)];

    public int ReceiveBufferBytes => _udp[0].ReceiveBufferBytes;

    public TcpPort? Tcp { get; }

    /// <exception cref="IOException">The port is taken, or none of the addresses can be listened on.</exception>
    public static MediaSockets Open(IReadOnlyList<IPAddress> addresses, MediaSocketContext context)
    {
        if (addresses.Count == 0)
            throw new IOException("No interface has an address that WebRTC media could use; see the options BindAddress and Interfaces.");
        for (var attempt = 1; ; attempt++)
        {
            var sockets = new MediaSockets(context);
            try
            {
                sockets.Bind(addresses);
                return sockets;
            }
            catch (SocketException exception)
            {
                sockets.DisposeAsync().AsTask().Wait();   // nothing was started: closes at once
                if (exception.SocketErrorCode == SocketError.AddressAlreadyInUse && context.Options.Port == 0 && attempt < Attempts)
                    continue;   // the system's choice for one socket is taken for another
                throw new IOException($"Port {context.Options.Port} for WebRTC media cannot be opened on {string.Join(", ", addresses)}: {exception.Message}.", exception);
            }
        }
    }

    /// <summary>Local addresses whose datagrams or connections are not taken any more, by a defect or the system's refusal: "UDP 10.0.0.2:7882".</summary>
    public IEnumerable<string> Silent => _udp.Where(port => !port.IsReceiving).Select(port => $"UDP {port.Local}").Concat(Tcp?.Silent.Select(local => $"TCP {local}") ?? []);

    public void Start()
    {
        foreach (var port in _udp)
            port.Start();
        Tcp?.Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (Tcp is not null)
            await Tcp.DisposeAsync();
        foreach (var port in _udp)
            await port.DisposeAsync();
    }

    /// <summary>Opens and starts sockets on addresses that the machine got meanwhile. One that cannot be opened is tried again each time and told once.</summary>
    public void Add(IEnumerable<IPAddress> addresses)
    {
        foreach (var address in addresses.Except(Addresses))
        {
            try
            {
                Open(address).Start();
                Tcp?.Start();
                _unavailable.Remove(address);
            }
            catch (SocketException)
            {
                if (_unavailable.Add(address))
                    LogUnavailable(address);
            }
        }
    }

    /// <summary>
    /// Closes the sockets of addresses that the machine has lacked in the last lookups, unless calls are still on them. Machines that change their address each day, or
    /// their network, would otherwise have ever more sockets and threads.
    /// </summary>
    public void CloseLost(IReadOnlyCollection<IPAddress> addresses)
    {
        foreach (var port in _udp)
        {
            var address = port.Local.Address;
            var lookups = addresses.Contains(address) ? 0 : _lost.GetValueOrDefault(address) + 1;
            _lost[address] = lookups;
            if (lookups < LookupsUntilClosed || port.IsInUse)
                continue;
            _lost.Remove(address);
            _udp = [.. _udp.Where(other => other != port)];
            port.Dispose();
            Tcp?.StopListening(address);
        }
    }

    private void Bind(IReadOnlyList<IPAddress> addresses)
    {
        Port = _context.Options.Port;
        SocketException? unavailable = null;
        foreach (var address in addresses)
        {
            try
            {
                Open(address);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressNotAvailable)
            {
                unavailable = exception;   // gone meanwhile, or an IPv6 address that is not confirmed yet
                if (_unavailable.Add(address))
                    LogUnavailable(address);
            }
        }
        if (_udp.Length == 0)
            throw unavailable!;
    }

    /// <summary>Opens both sockets of an address, or none.</summary>
    private UdpPort Open(IPAddress address)
    {
        var port = new UdpPort(new IPEndPoint(address, Port), _context);
        try
        {
            Tcp?.Listen(port.Local);
        }
        catch
        {
            port.Dispose();
            throw;
        }
        Port = port.Local.Port;
        _udp = [.. _udp, port];
        return port;
    }

    [LoggerMessage(2204, LogLevel.Warning, "Address {Address} is not available for WebRTC media")]
    private partial void LogUnavailable(IPAddress address);
}
