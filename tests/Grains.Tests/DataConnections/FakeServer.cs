using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.DataConnections;

namespace VoiceGrains.Grains.Tests.DataConnections;

/// <summary>A server for data connections in memory: says how each attempt goes, and keeps the sockets of those that went well.</summary>
internal sealed class FakeServer(TimeProvider clock) : IDataConnector
{
    private readonly long _start = clock.GetTimestamp();

    /// <summary>How each attempt goes; null accepts. By default all are accepted.</summary>
    public Func<int, Exception?> Refuses { get; set; } = _ => null;

    /// <summary>Attempts are accepted once this is done.</summary>
    public Task Accepts { get; set; } = Task.CompletedTask;

    /// <summary>Of the last attempt.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>();

    public List<TimeSpan> Attempts { get; } = [];
    public List<FakeSocket> Sockets { get; } = [];

    public async Task<WebSocket> ConnectAsync(DataConnectionConfig config, CancellationToken cancellationToken)
    {
        Headers = config.Headers!;
        Attempts.Add(clock.GetElapsedTime(_start));
        await Accepts.WaitAsync(cancellationToken);
        if (Refuses(Attempts.Count) is { } refusal) throw refusal;
        Sockets.Add(new FakeSocket());
        return Sockets[^1];
    }
}

/// <summary>The server's end of one connection.</summary>
internal sealed class FakeSocket : WebSocket
{
    private readonly Channel<(WebSocketMessageType Type, byte[] Data)> _toCall = Channel.CreateUnbounded<(WebSocketMessageType, byte[])>();
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (WebSocketMessageType Type, byte[] Data)? _rest;
    private WebSocketState _state = WebSocketState.Open;

    public ConcurrentQueue<(WebSocketMessageType Type, byte[] Data)> Sent { get; } = new();
    public IEnumerable<string> Texts => Sent.Where(m => m.Type == WebSocketMessageType.Text).Select(m => Encoding.UTF8.GetString(m.Data));
    /// <summary>Sending waits for this.</summary>
    public Task Reads { get; set; } = Task.CompletedTask;
    public WebSocketCloseStatus? ClosedWith { get; private set; }
    public bool IsAborted => _aborted.Task.IsCompleted;

    public override WebSocketCloseStatus? CloseStatus => null;
    public override string? CloseStatusDescription => null;
    public override string? SubProtocol => null;
    public override WebSocketState State => _state;

    public void Say(string text) => _toCall.Writer.TryWrite((WebSocketMessageType.Text, Encoding.UTF8.GetBytes(text)));
    public void Say(byte[] data) => _toCall.Writer.TryWrite((WebSocketMessageType.Binary, data));
    public void Close() => _toCall.Writer.TryWrite((WebSocketMessageType.Close, []));

    public override void Abort()
    {
        _state = WebSocketState.Aborted;
        _aborted.TrySetResult();
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        await Task.WhenAny(Reads, _aborted.Task).WaitAsync(cancellationToken);
        if (IsAborted) throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely);
        Sent.Enqueue((messageType, buffer.ToArray()));
    }

    public override async ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = _rest is { } rest ? Task.FromResult(rest) : _toCall.Reader.ReadAsync(cancellationToken).AsTask();
        if (await Task.WhenAny(read, _aborted.Task).WaitAsync(cancellationToken) != read) throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely);
        var (type, data) = await read;
        if (type == WebSocketMessageType.Close) _state = _state == WebSocketState.CloseSent ? WebSocketState.Closed : WebSocketState.CloseReceived;
        var count = Math.Min(data.Length, buffer.Length);
        data.AsSpan(0, count).CopyTo(buffer.Span);
        _rest = count < data.Length ? (type, data[count..]) : null;
        return new(count, type, count == data.Length);
    }

    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        ClosedWith = closeStatus;
        _state = _state == WebSocketState.CloseReceived ? WebSocketState.Closed : WebSocketState.CloseSent;
        return Task.CompletedTask;
    }

    public override void Dispose() => Abort();

    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => throw new NotSupportedException();
    public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();
    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) => throw new NotSupportedException();
}
