using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.Tests.Shared;

/// <summary>
/// The network between a server and its clients, on a loopback port: passes bytes on until a test cuts it (connections break and new ones are refused) or
/// makes it swallow everything (connections stay and nothing comes, as behind a failed router).
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly int _target;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly List<Task> _pumps = [];
    private TaskCompletionSource _passing = Completed();
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;

    /// <param name="target">The server's port on the loopback address.</param>
    public TcpProxy(int target)
    {
        _target = target;
        Listen();
    }

    public int Port { get; private set; }

    /// <summary>Breaks all connections and refuses new ones, as a server that was stopped.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _listener?.Dispose();
            foreach (var socket in _sockets) socket.Dispose();
            _sockets.Clear();
        }
    }

    /// <summary>Takes connections and bytes, and passes nothing on.</summary>
    public void Swallow()
    {
        lock (_gate) _passing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Ends what <see cref="Cut"/> or <see cref="Swallow"/> began. What was swallowed is passed on, late, as a network does.</summary>
    public void Heal()
    {
        lock (_gate)
        {
            _passing.TrySetResult();
            if (_listener is not { IsBound: true } || !IsOpen(_listener)) Listen();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        Cut();
        Task[] pumps;
        lock (_gate) pumps = [.. _pumps, _accepting];
        await Task.WhenAll(pumps).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _over.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private static bool IsOpen(Socket socket) => !socket.SafeHandle.IsClosed;

    private void Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        listener.Listen(200);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _listener = listener;
        _accepting = AcceptAsync(listener);
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_over.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(_over.Token);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }
            lock (_gate) _pumps.Add(ServeAsync(client));
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var _ = client;
        client.NoDelay = true;
        lock (_gate)
        {
            _sockets.Add(client);
            _sockets.Add(server);
        }
        try
        {
            await PassingAsync();
            await server.ConnectAsync(IPAddress.Loopback, _target, _over.Token);
            await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client));
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // A broken connection breaks on both sides, by the disposal.
        }
        finally
        {
            lock (_gate)
            {
                _sockets.Remove(client);
                _sockets.Remove(server);
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _over.Token) is > 0 and var count)
            {
                await PassingAsync();
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _over.Token);
            }
            await PassingAsync();
            to.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            from.Dispose();
            to.Dispose();
            throw;
        }
    }

    private Task PassingAsync()
    {
        lock (_gate) return _passing.Task.WaitAsync(_over.Token);
    }
}
