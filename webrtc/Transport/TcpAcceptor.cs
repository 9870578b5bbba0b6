using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>A TCP listener on one local address, and the loop that accepts its connections.</summary>
internal sealed class TcpAcceptor : IAsyncDisposable
{
    private const int Backlog = 64;
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(100);

    private readonly Socket _listener;
    private readonly Action<Socket> _take;
    private readonly LoopFailures _failures;
    private readonly TimeProvider _clock;
    private Task? _loop;
    private volatile bool _isClosed;

    /// <param name="take">Takes over each connection; where it throws, the connection is closed.</param>
    /// <exception cref="SocketException">The port is taken, or the address is not this machine's.</exception>
    public TcpAcceptor(IPEndPoint local, Action<Socket> take, MediaSocketContext context)
    {
        (_take, _clock) = (take, context.Clock);
        _listener = new Socket(local.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (local.AddressFamily == AddressFamily.InterNetworkV6)
                _listener.DualMode = false;
            _listener.Bind(local);
            _listener.Listen(Backlog);
            Local = (IPEndPoint)_listener.LocalEndPoint!;
            _failures = new LoopFailures($"Accepting on TCP {Local}", context.Clock, context.Logger);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
    }

    public IPEndPoint Local { get; }

    /// <summary>Whether connections are taken: false before the start, after the end, and after two seconds without one that could be.</summary>
    public bool IsAccepting => _loop is not null && !_isClosed && !_failures.AreMany;

    /// <summary>Repeated calls do nothing.</summary>
    public void Start() => _loop ??= Task.Run(AcceptAllAsync);

    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        _listener.Dispose();
        if (_loop is not null)
            await _loop;
    }

    private async Task AcceptAllAsync()
    {
        while (!_isClosed)
        {
            try
            {
                Take(await _listener.AcceptAsync());
                _failures.Worked();
            }
            catch (Exception exception)     // out of descriptors, a client that was gone at once, or a defect: none may end the loop
            {
                if (_isClosed)
                    return;
                _failures.Note(exception);
                await Task.Delay(PauseAfterError, _clock);
            }
        }
    }

    private void Take(Socket socket)
    {
        try
        {
            _take(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
