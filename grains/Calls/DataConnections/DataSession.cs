using System.Buffers;
using System.Net.WebSockets;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>How one connection ended.</summary>
internal enum SessionEnd : byte { CallEnded, ClosedByPeer, Lost, TooSlow, Overflow, MessageTooBig }

/// <summary>One open WebSocket of a data connection, from its handshake to its end.</summary>
internal sealed class DataSession(
    WebSocket socket, DataConnectionQueue queue, IDataConnectionListener listener, DataConnectionOptions options, TimeProvider clock) : IDisposable
{
    /// <summary>As of a client's data messages.</summary>
    public const int LongestMessage = 64 * 1024;
    private const int FirstBuffer = 4 * 1024;

    private readonly CancellationTokenSource _over = new();
    /// <summary>Runs while something is being sent.</summary>
    private readonly CancellationTokenSource _sendPatience = new(Timeout.InfiniteTimeSpan, clock);
    private bool _toldOfBinary;

    /// <summary>Serves it until it ends, then closes it: politely where somebody may be listening.</summary>
    /// <param name="mayReturn">For the close at the call's end: the server goes away, not the call.</param>
    public async Task<SessionEnd> RunAsync(Func<bool> mayReturn, CancellationToken abandoned)
    {
        using var onAbandoned = abandoned.UnsafeRegister(static session => ((DataSession)session!).Abandon(), this);
        var (sending, receiving) = (SendAllAsync(), ReceiveAllAsync());
        var end = await await Task.WhenAny(sending, receiving);
        queue.Suspend();
        if (end is SessionEnd.CallEnded or SessionEnd.ClosedByPeer or SessionEnd.MessageTooBig)
        {
            await CloseAsync(end, mayReturn(), sending);
            await AwaitCloseAsync(receiving);
        }
        _over.Cancel();
        socket.Abort();
        await sending;
        await receiving;
        return queue.HasOverflowed ? SessionEnd.Overflow : end;
    }

    /// <summary>Ends it without a word. Safe from any thread, and returns at once.</summary>
    public void Abandon() => _ = _over.CancelAsync();

    public void Dispose()
    {
        socket.Dispose();       // the token stays: somebody may be about to call Abandon
        _sendPatience.Dispose();
    }

    private async Task<SessionEnd> SendAllAsync()
    {
        var audio = new byte[queue.AudioFrameBytes];
        using var onOver = _over.Token.UnsafeRegister(static queue => ((DataConnectionQueue)queue!).Suspend(), queue);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, _sendPatience.Token);
        try
        {
            while (true)
            {
                while (queue.TryTake(audio, out var message))
                {
                    _sendPatience.CancelAfter(options.SendTimeout);
                    var type = message is null ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
                    await socket.SendAsync((message ?? audio).AsMemory(), type, endOfMessage: true, either.Token);
                    _sendPatience.CancelAfter(Timeout.InfiniteTimeSpan);
                }
                if (!queue.IsOpen) return SessionEnd.Lost;
                if (queue.IsCompleted) return SessionEnd.CallEnded;
                await queue.WaitAsync();
            }
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            return _sendPatience.IsCancellationRequested ? SessionEnd.TooSlow : SessionEnd.Lost;
        }
    }

    private async Task<SessionEnd> ReceiveAllAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            for (var length = 0; ;)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(length), _over.Token);
                if (received.MessageType == WebSocketMessageType.Close) return SessionEnd.ClosedByPeer;
                if (received.MessageType == WebSocketMessageType.Binary)
                {
                    TellOfBinary();
                    continue;
                }
                length += received.Count;
                if (length > LongestMessage) return SessionEnd.MessageTooBig;
                if (received.EndOfMessage)
                {
                    listener.OnConnectionData(buffer.AsSpan(0, length));
                    length = 0;
                }
                else if (length == buffer.Length) buffer = Grow(buffer);
            }
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            return SessionEnd.Lost;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task CloseAsync(SessionEnd end, bool mayReturn, Task sending)
    {
        using var patience = new CancellationTokenSource(options.CloseTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _over.Token);
        try
        {
            await sending.WaitAsync(either.Token);
            var status = end == SessionEnd.MessageTooBig ? WebSocketCloseStatus.MessageTooBig
                : mayReturn ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.NormalClosure;
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived) await socket.CloseOutputAsync(status, null, either.Token);
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            // Then it ends without a word.
        }
    }

    /// <summary>Reads on until the server has answered the close: dropping a connection with unread data in it would take along what was sent last.</summary>
    private async Task AwaitCloseAsync(Task receiving)
    {
        using var patience = new CancellationTokenSource(options.CloseTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _over.Token);
        try
        {
            await receiving.WaitAsync(either.Token);
            var rest = new byte[FirstBuffer];
            while (socket.State == WebSocketState.CloseSent) await socket.ReceiveAsync(rest.AsMemory(), either.Token);
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            // As above.
        }
    }

    private void TellOfBinary()
    {
        if (_toldOfBinary) return;
        _toldOfBinary = true;
        listener.OnConnectionNotice(new(Severity.Warning, "invalid_message", "The data connection sent binary messages, which are ignored: data messages are text."));
    }

    private static byte[] Grow(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(2 * buffer.Length, LongestMessage + 1));
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    private static bool IsLoss(Exception exception)
        => exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException;
}
