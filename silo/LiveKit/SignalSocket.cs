using System.Buffers;
using System.Net.WebSockets;
using System.Threading.Channels;
using Google.Protobuf;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>
/// One signalling connection: a request or response in each binary message. Sending goes through a queue of 256 messages; a client for which more wait, or that
/// reads nothing for 10 s, is cut off. So is one that sends what is no request, or more than 50 of them a second for long.
/// </summary>
internal sealed class SignalSocket : IAsyncDisposable
{
    private const int MostQueued = 256;
    private const int FirstBuffer = 8 * 1024;
    /// <summary>An offer of a browser is 25 KB at most, and a sync of a resume holds a few descriptions.</summary>
    private const int LongestMessage = 256 * 1024;
    private const double RequestsPerSecond = 50, RequestBurst = 200;
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);
    private static readonly MessageParser<SignalRequest> Requests = SignalRequest.Parser.WithDiscardUnknownFields(true);

    private readonly WebSocket _socket;
    private readonly TokenBucket _rate;
    private readonly Channel<byte[]> _queue = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MostQueued) { SingleReader = true });
    private readonly Task _sending;
    private readonly CancellationTokenSource _closed = new();
    private int _isClosing;
    private WebSocketCloseStatus _closeStatus = WebSocketCloseStatus.NormalClosure;
    private string? _closeReason;

    public SignalSocket(WebSocket socket, TimeProvider clock)
    {
        (_socket, _rate) = (socket, new TokenBucket(RequestsPerSecond, RequestBurst, clock));
        _sending = SendAllAsync();
    }

    /// <summary>Queues a message. False, and the connection is cut off, when the client does not read; false when it is closing.</summary>
    public bool TrySend(SignalResponse message)
    {
        if (_queue.Writer.TryWrite(message.ToByteArray())) return true;
        if (Volatile.Read(ref _isClosing) == 0) _socket.Abort();
        return false;
    }

    /// <summary>Sends what is queued, then says that the client should leave, then closes. Does not wait.</summary>
    public void Leave(DisconnectReason reason, LeaveRequest.Types.Action action = LeaveRequest.Types.Action.Disconnect)
    {
        if (Interlocked.Exchange(ref _isClosing, 1) != 0) return;
        var leave = new LeaveRequest { Reason = reason, Action = action, CanReconnect = action != LeaveRequest.Types.Action.Disconnect };
        _queue.Writer.TryWrite(new SignalResponse { Leave = leave }.ToByteArray());
        _queue.Writer.TryComplete();
        _closed.CancelAfter(CloseTimeout);
    }

    /// <summary>Gives up the connection: another has taken its place.</summary>
    public void Abort()
    {
        Interlocked.Exchange(ref _isClosing, 1);
        _queue.Writer.TryComplete();
        _socket.Abort();
    }

    /// <summary>Receives until the connection ends, however it does.</summary>
    /// <param name="handle">Told of each request, one at a time.</param>
    public async Task<SignalEnd> RunAsync(Action<SignalRequest> handle, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            for (var length = 0; ;)
            {
                var part = await _socket.ReceiveAsync(buffer.AsMemory(length), ending.Token);
                if (part.MessageType == WebSocketMessageType.Close) return SignalEnd.Closed;
                if (part.MessageType != WebSocketMessageType.Binary) return await RefuseAsync(WebSocketCloseStatus.InvalidMessageType, "Messages are binary.");
                length += part.Count;
                if (!part.EndOfMessage)
                {
                    if (length >= LongestMessage) return await RefuseAsync(WebSocketCloseStatus.MessageTooBig, $"A message is at most {LongestMessage} bytes.");
                    if (length == buffer.Length) buffer = Grow(buffer);
                    continue;
                }
                if (!_rate.TryTake()) return await RefuseAsync(WebSocketCloseStatus.PolicyViolation, "Too many messages.");
                if (!UntrustedMessage.TryParse(Requests, buffer.AsSpan(0, length), out var request)) return await RefuseAsync(WebSocketCloseStatus.InvalidPayloadData, "That is no request.");
                length = 0;
                handle(request);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            return Volatile.Read(ref _isClosing) != 0 && _closeReason is not null ? SignalEnd.Refused : SignalEnd.Lost;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref _isClosing, 1);
        _queue.Writer.TryComplete();
        try
        {
            await _sending.WaitAsync(CloseTimeout);
        }
        catch (TimeoutException)
        {
            _socket.Abort();
        }
        await _sending;
        _socket.Dispose();
        _closed.Dispose();
    }

    private static byte[] Grow(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    /// <summary>Closes with a clear code, and reads on until the client has seen it: to drop a connection with unread bytes in it would take the code along.</summary>
    private async Task<SignalEnd> RefuseAsync(WebSocketCloseStatus status, string why)
    {
        if (Interlocked.Exchange(ref _isClosing, 1) == 0) (_closeStatus, _closeReason) = (status, why);
        _queue.Writer.TryComplete();
        _closed.CancelAfter(CloseTimeout);
        await _sending;
        var rest = new byte[FirstBuffer];
        while (_socket.State == WebSocketState.CloseSent) await _socket.ReceiveAsync(rest.AsMemory(), _closed.Token);
        return SignalEnd.Refused;
    }

    private async Task SendAllAsync()
    {
        using var timeout = new CancellationTokenSource();
        try
        {
            await foreach (var message in _queue.Reader.ReadAllAsync())
            {
                timeout.CancelAfter(SendTimeout);
                await _socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, timeout.Token);
                timeout.CancelAfter(Timeout.InfiniteTimeSpan);
            }
            if (_socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
            timeout.CancelAfter(CloseTimeout);
            await _socket.CloseOutputAsync(_closeStatus, _closeReason, timeout.Token);
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The receive side reports the loss.
            _socket.Abort();
            _queue.Writer.TryComplete();
        }
    }
}

/// <summary>How a signalling connection ended.</summary>
internal enum SignalEnd : byte { Closed, Lost, Refused }
