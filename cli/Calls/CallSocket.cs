using System.Diagnostics;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Cli.Calls;

/// <summary>Takes what a joined call sends. Called by the receive loop, one message at a time.</summary>
internal interface ICallListener
{
    /// <param name="pcm">Agent audio; valid during the call only.</param>
    /// <param name="timestamp"><see cref="Stopwatch.GetTimestamp"/> of its arrival.</param>
    void OnAudio(ReadOnlySpan<short> pcm, long timestamp);

    void OnMessage(string type, JsonElement message, long timestamp);
}

/// <summary>The client's end of a <c>serverWebSocket</c> call. One sender of audio and one of messages may run at the same time as the receive loop.</summary>
internal sealed class CallSocket : IDisposable
{
    private const int LargestMessage = 1 << 20;
    private static readonly TimeSpan JoinLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(3);
    private readonly ClientWebSocket socket = new();
    private readonly SemaphoreSlim sending = new(1);

    private CallSocket()
    {
    }

    /// <summary>Why the server closed, empty when it did not say.</summary>
    public string CloseReason => socket.CloseStatusDescription ?? "";

    /// <exception cref="CliException">The server did not take the connection.</exception>
    public static async Task<CallSocket> JoinAsync(Uri joinUrl, CancellationToken cancellationToken)
    {
        var call = new CallSocket();
        call.socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(15);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(JoinLimit);
        try
        {
            await call.socket.ConnectAsync(joinUrl, limit.Token);
            return call;
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            call.Dispose();
            throw new CliException($"The call was created, but joining {joinUrl.GetLeftPart(UriPartial.Authority)} failed: {failure.Message}");
        }
    }

    /// <summary>Sends one stretch of caller audio.</summary>
    public Task SendAudioAsync(ReadOnlyMemory<byte> pcm, CancellationToken cancellationToken)
        => SendAsync(pcm, WebSocketMessageType.Binary, cancellationToken);

    public Task SendMessageAsync(JsonObject message, CancellationToken cancellationToken)
        => SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, cancellationToken);

    /// <summary>Receives until the call is closed. Completes normally however that happens.</summary>
    public async Task ReceiveAsync(ICallListener listener, CancellationToken cancellationToken)
    {
        var buffer = new byte[16_384];
        var length = 0;
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                if (part.MessageType == WebSocketMessageType.Close)
                    return;
                length += part.Count;
                if (!part.EndOfMessage)
                {
                    if (length == buffer.Length)
                        Array.Resize(ref buffer, length < LargestMessage ? length * 2 : throw new CliException("The server sent a message of more than 1 MiB."));
                    continue;
                }
                Deliver(listener, part.MessageType, buffer.AsMemory(0, length));
                length = 0;
            }
        }
        catch (WebSocketException)
        {
            // The connection broke: the call's end reason tells what the server made of it.
        }
    }

    /// <summary>Leaves the call, politely where the server still listens.</summary>
    public async Task CloseAsync()
    {
        using var limit = new CancellationTokenSource(CloseLimit);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", limit.Token);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            socket.Abort();
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        sending.Dispose();
    }

    private static void Deliver(ICallListener listener, WebSocketMessageType type, ReadOnlyMemory<byte> message)
    {
        var now = Stopwatch.GetTimestamp();
        if (type == WebSocketMessageType.Binary)
        {
            listener.OnAudio(MemoryMarshal.Cast<byte, short>(message.Span), now);
            return;
        }
        using var json = JsonDocument.Parse(message);
        if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("type", out var name))
            listener.OnMessage(name.GetString() ?? "", json.RootElement, now);
    }

    private async Task SendAsync(ReadOnlyMemory<byte> data, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        await sending.WaitAsync(cancellationToken);
        try
        {
            if (socket.State == WebSocketState.Open)
                await socket.SendAsync(data, type, endOfMessage: true, cancellationToken);
        }
        catch (WebSocketException)
        {
            // The receive loop sees the same end and reports it once.
        }
        finally
        {
            sending.Release();
        }
    }
}
