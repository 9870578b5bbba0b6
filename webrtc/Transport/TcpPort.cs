using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>The TCP listeners of an endpoint (RFC 6544, passive) and their connections. All are bounded in number and in time.</summary>
internal sealed class TcpPort(MediaSocketContext context) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<TcpConnection, bool> _connections = new();
    private readonly ConcurrentDictionary<IPAddress, int> _pending = new();   // connections by client that have not authenticated yet
    private volatile TcpAcceptor[] _acceptors = [];
    private int _count;

    /// <summary>Connections that are open.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Local addresses whose connections are not accepted any more, by a defect or the system's refusal.</summary>
    public IEnumerable<IPEndPoint> Silent => _acceptors.Where(acceptor => !acceptor.IsAccepting).Select(acceptor => acceptor.Local);

    /// <exception cref="SocketException">The port is taken, or the address is not this machine's.</exception>
    public void Listen(IPEndPoint local) => _acceptors = [.. _acceptors, new TcpAcceptor(local, Take, context)];

    /// <summary>Accepts on the listeners that do not yet.</summary>
    public void Start()
    {
        foreach (var acceptor in _acceptors)
            acceptor.Start();
    }

    /// <summary>Accepts nothing more on an address. Connections that were made there stay.</summary>
    public void StopListening(IPAddress address)
    {
        var acceptors = _acceptors;
        _acceptors = [.. acceptors.Where(acceptor => !acceptor.Local.Address.Equals(address))];
        foreach (var acceptor in acceptors.Except(_acceptors))
            _ = acceptor.DisposeAsync().AsTask();       // its loop ends by itself
    }

    /// <summary>Closes connections that said nothing for too long or do not read.</summary>
    public void CloseIdle()
    {
        foreach (var (connection, _) in _connections)
            connection.CloseIfIdle();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var acceptor in _acceptors)
            await acceptor.DisposeAsync();
        foreach (var (connection, _) in _connections)
            connection.Close();
        foreach (var (connection, _) in _connections)
            await connection.Completion;
    }

    /// <summary>The connection's first check was authentic: it no longer counts against its client.</summary>
    internal void Authenticated(TcpConnection connection) => ReleasePending(connection.Client);

    internal void Closed(TcpConnection connection)
    {
        if (!_connections.TryRemove(connection, out _))
            return;
        Interlocked.Decrement(ref _count);
        if (!connection.IsAuthenticated)
            ReleasePending(connection.Client);
    }

    private void Take(Socket socket)
    {
        var client = ClientOf(socket);
        if (client is null || Count >= context.Options.MaxTcpConnections || !TryAddPending(client))
        {
            context.Counters.TcpRefused();
            socket.Close(0);
            return;
        }
        var connection = Open(socket, client);
        Interlocked.Increment(ref _count);
        _connections[connection] = true;
        connection.Start();
    }

    private TcpConnection Open(Socket socket, IPAddress client)
    {
        try
        {
            return new TcpConnection(socket, client, this, context);
        }
        catch
        {
            ReleasePending(client);     // the client was gone already, say
            throw;
        }
    }

    private bool TryAddPending(IPAddress client)
    {
        if (_pending.AddOrUpdate(client, 1, (_, count) => count + 1) <= context.Options.MaxPendingTcpConnectionsPerAddress)
            return true;
        ReleasePending(client);
        return false;
    }

    private void ReleasePending(IPAddress client)
    {
        if (_pending.AddOrUpdate(client, 0, (_, count) => count - 1) <= 0)
            _pending.TryRemove(new(client, 0));
    }

    /// <summary>The client's address; of IPv6 its /64, since one client has all of that. Null when it is gone already.</summary>
    private static IPAddress? ClientOf(Socket socket)
    {
        try
        {
            if (socket.RemoteEndPoint is not IPEndPoint { Address: var address })
                return null;
            if (address.AddressFamily != AddressFamily.InterNetworkV6)
                return address;
            var bytes = address.GetAddressBytes();
            bytes.AsSpan(8).Clear();
            return new IPAddress(bytes);
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
