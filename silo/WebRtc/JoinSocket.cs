using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using VoiceGrains.Silo.LiveKit;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>
/// The WebSocket at a join URL: it tells the client where the room is, takes data messages that are too long for the client's data channel, and is open as long
/// as the client is in the call.
/// </summary>
internal sealed class JoinSocket(WebSocket socket, TimeProvider clock)
{
    private const int LongestDataMessage = 64 * 1024;
    private const double MessagesPerSecond = 20, MessageBurst = 100;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);
    private readonly TokenBucket _rate = new(MessagesPerSecond, MessageBurst, clock);
    private readonly CancellationTokenSource _closed = new();
    private int _isClosing;

    /// <summary>Once, and nothing else ever: clients take each message for another room. False: the client is gone.</summary>
    public async Task<bool> TrySendRoomAsync(string roomUrl, string token, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(SendTimeout);
        try
        {
            var message = JsonSerializer.SerializeToUtf8Bytes(new { type = "room_info", roomUrl, token });
            await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
            return true;
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Takes data messages until the socket closes, and tells how it did.</summary>
    public async Task<JoinSocketEnd> RunAsync(WebRtcPort port, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(LongestDataMessage);
        try
        {
            for (var length = 0; ;)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(length, LongestDataMessage - length), ending.Token);
                if (part.MessageType == WebSocketMessageType.Close) return await AnswerCloseAsync();
                if (part.MessageType != WebSocketMessageType.Text) return await RefuseAsync(WebSocketCloseStatus.InvalidMessageType, "Messages are text.");
                length += part.Count;
                if (length >= LongestDataMessage) return await RefuseAsync(WebSocketCloseStatus.MessageTooBig, $"A data message is at most {LongestDataMessage - 1} bytes.");
                if (!part.EndOfMessage) continue;
                if (!_rate.TryTake()) return await RefuseAsync(WebSocketCloseStatus.PolicyViolation, "Too many messages.");
                port.OnData(buffer.AsSpan(0, length));
                length = 0;
            }
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            return JoinSocketEnd.Lost;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Closes it in the background, within bounds.</summary>
    /// <param name="mayReturn">The server goes away, not the call.</param>
    public void Close(bool mayReturn)
        => _ = CloseAsync(mayReturn ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.NormalClosure, null);

    /// <summary>What a page closes by itself has no status, or 1000; a page that goes away closes with 1001.</summary>
    private async Task<JoinSocketEnd> AnswerCloseAsync()
    {
        var isOurs = Volatile.Read(ref _isClosing) != 0;
        var status = socket.CloseStatus;
        await CloseAsync(WebSocketCloseStatus.NormalClosure, null);
        return isOurs || status is WebSocketCloseStatus.NormalClosure or WebSocketCloseStatus.Empty or null ? JoinSocketEnd.Closed
            : status == WebSocketCloseStatus.EndpointUnavailable ? JoinSocketEnd.GoneAway
            : JoinSocketEnd.Lost;
    }

    private async Task<JoinSocketEnd> RefuseAsync(WebSocketCloseStatus status, string why)
    {
        await CloseAsync(status, why);
        var rest = new byte[1024];
        while (socket.State == WebSocketState.CloseSent) await socket.ReceiveAsync(rest.AsMemory(), _closed.Token);
        return JoinSocketEnd.Refused;
    }

    private async Task CloseAsync(WebSocketCloseStatus status, string? why)
    {
        if (Interlocked.Exchange(ref _isClosing, 1) != 0) return;
        _closed.CancelAfter(CloseTimeout);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived) await socket.CloseOutputAsync(status, why, _closed.Token);
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            socket.Abort();
        }
    }
}

/// <summary>How a join socket ended: by its client or us, with its page, without a word, or because it broke the rules.</summary>
internal enum JoinSocketEnd : byte { Closed, GoneAway, Lost, Refused }
