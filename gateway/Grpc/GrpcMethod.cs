using Google.Protobuf;
using VoiceGrains.Gateway.Accounts;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>A method that can be called. Its cancellation token is cancelled at the deadline, when the client cancels, and when the server stops.</summary>
/// <param name="path">As clients ask for it, for example <c>/voicegrains.v1.Calls/Get</c>.</param>
internal abstract class GrpcMethod(string path)
{
    public string Path => path;

    public abstract Task InvokeAsync(GrpcExchange exchange, Caller caller, CancellationToken cancellationToken);
}

/// <summary>One message in, one out.</summary>
internal sealed class UnaryMethod<TRequest, TResponse>(
    string path, MessageParser<TRequest> parser, Func<TRequest, GrpcCall, Task<TResponse>> handler) : GrpcMethod(path)
    where TRequest : IMessage<TRequest> where TResponse : IMessage
{
    public override async Task InvokeAsync(GrpcExchange exchange, Caller caller, CancellationToken cancellationToken)
    {
        var request = await exchange.ReadOneAsync(parser, cancellationToken);
        var response = await handler(request, new GrpcCall(exchange.Http, caller, cancellationToken)).WaitAsync(cancellationToken);
        await exchange.WriteAsync(response, cancellationToken);
    }
}

/// <summary>One message in, any number out.</summary>
internal sealed class ServerStreamingMethod<TRequest>(
    string path, MessageParser<TRequest> parser, Func<TRequest, GrpcCall, GrpcExchange, Task> handler) : GrpcMethod(path)
    where TRequest : IMessage<TRequest>
{
    public override async Task InvokeAsync(GrpcExchange exchange, Caller caller, CancellationToken cancellationToken)
    {
        var request = await exchange.ReadOneAsync(parser, cancellationToken);
        await handler(request, new GrpcCall(exchange.Http, caller, cancellationToken), exchange);
    }
}

/// <summary>What a handler knows of the call beside its message.</summary>
internal sealed record GrpcCall(Microsoft.AspNetCore.Http.HttpContext Http, Caller Caller, CancellationToken CancellationToken);
