using System.Net.WebSockets;
using System.Threading.Channels;
using Google.Protobuf;
using VoiceGrains.Silo.LiveKit.Protocol;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>A server's WebSocket whose far end is the test.</summary>
internal sealed class FakeSocket : WebSocket
{
    private readonly Channel<byte[]> incoming = Channel.CreateUnbounded<byte[]>();
    private WebSocketCloseStatus? closeStatus;
    private WebSocketState state = WebSocketState.Open;

    public List<SignalResponse> Sent { get; } = [];

    public override WebSocketCloseStatus? CloseStatus => closeStatus;
    public override string? CloseStatusDescription => null;
    public override WebSocketState State => state;
    public override string? SubProtocol => null;

    public void Send(SignalRequest request) => Send(request.ToByteArray());

    public void Send(byte[] message) => incoming.Writer.TryWrite(message);

    /// <summary>The far end closes.</summary>
    public void CloseBy(WebSocketCloseStatus status)
    {
        (closeStatus, state) = (status, WebSocketState.CloseReceived);
        incoming.Writer.TryComplete();
    }

    public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken)
    {
        if (!await incoming.Reader.WaitToReadAsync(cancellationToken)) return closeStatus is null ? throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely) : new(0, WebSocketMessageType.Close, true);
        incoming.Reader.TryRead(out var message);
        message.CopyTo(buffer.AsSpan());
        return new(message!.Length, WebSocketMessageType.Binary, true);
    }

    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        if (messageType == WebSocketMessageType.Binary) lock (Sent) Sent.Add(SignalResponse.Parser.ParseFrom(buffer.AsSpan()));
        return Task.CompletedTask;
    }

    public override Task CloseOutputAsync(WebSocketCloseStatus status, string? description, CancellationToken cancellationToken)
    {
        state = WebSocketState.Closed;
        incoming.Writer.TryComplete();
        return Task.CompletedTask;
    }

    public override Task CloseAsync(WebSocketCloseStatus status, string? description, CancellationToken cancellationToken) => CloseOutputAsync(status, description, cancellationToken);

    public override void Abort()
    {
        state = WebSocketState.Aborted;
        incoming.Writer.TryComplete();
    }

    public override void Dispose() => Abort();
}
