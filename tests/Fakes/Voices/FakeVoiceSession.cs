using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>One client's connection to a fake provider: what it sent, and how it left.</summary>
internal sealed class FakeVoiceSession(HttpContext context, WebSocket socket)
{
    private readonly ConcurrentQueue<JsonObject> _messages = new();
    private readonly Channel<JsonObject> _incoming = Channel.CreateUnbounded<JsonObject>();
    private readonly TaskCompletionSource<string> _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);

    /// <summary>Path and query.</summary>
    public string Address { get; } = context.Request.Path + context.Request.QueryString;

    public IReadOnlyDictionary<string, string> Headers { get; } = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);

    /// <summary>What the client sent so far.</summary>
    public IReadOnlyList<JsonObject> Messages => [.. _messages];

    /// <summary>The client's leave: <c>closed</c> with a close frame, <c>gone</c> without.</summary>
    public Task<string> Left => _left.Task;

    /// <summary>Cancelled when the client leaves.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>The client's messages one by one, until it leaves.</summary>
    public IAsyncEnumerable<JsonObject> ReadAsync() => _incoming.Reader.ReadAllAsync(Gone);

    public Task SendAsync(JsonObject message) => socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, Gone);

    public Task SendAsync(byte[] binary) => socket.SendAsync(binary, WebSocketMessageType.Binary, true, Gone);

    public Task SendPartAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: false, Gone);

    public Task SendTextAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, Gone);

    public Task CloseAsync(WebSocketCloseStatus status, string? reason) => socket.CloseOutputAsync(status, reason, Gone);

    /// <summary>Takes the client's messages while the protocol is busy speaking; ends when it leaves.</summary>
    public async Task ListenAsync()
    {
        var how = "gone";
        try
        {
            var buffer = new byte[64 * 1024];
            var length = 0;
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(length), context.RequestAborted);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    how = "closed";
                    break;
                }
                length += part.Count;
                if (!part.EndOfMessage) continue;
                var message = JsonNode.Parse(buffer.AsSpan(0, length))!.AsObject();
                length = 0;
                _messages.Enqueue(message);
                _incoming.Writer.TryWrite(message);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            // Gone without a goodbye.
        }
        _incoming.Writer.TryComplete();
        await _gone.CancelAsync();
        _left.TrySetResult(how);
    }
}
