using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orleans.Runtime;
using RabbitMQ.Client;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>Makes messages of requests and results, and reads them.</summary>
internal sealed class WireCodec(ClusterOptions options, JsonSerializerOptions json, GrainClasses classes, WireExceptions exceptions, TimeProvider clock)
{
    /// <summary>The request as a message. To a silo by its address it may be activated there, else only the one that has the grain gets it.</summary>
    /// <exception cref="OrleansMessageRejectionException">The arguments cannot be written or are too large.</exception>
    public WireMessage Write(PendingRequest pending, string replyTo)
    {
        var request = pending.Request;
        var headers = Headers();
        headers[WireProtocol.GrainType] = request.Target.Type;
        headers[WireProtocol.GrainKey] = request.Target.Key;
        headers[WireProtocol.Method] = request.Method.WireName;
        if (pending.Destination.StartsWith('@'))
            headers[WireProtocol.Activate] = 1;
        if (request.TraceParent is { } activity && activity.IdFormat == ActivityIdFormat.W3C)
        {
            headers[WireProtocol.TraceParent] = activity.Id;
            if (activity.TraceStateString is { Length: > 0 } state)
                headers[WireProtocol.TraceState] = state;
        }
        var properties = new BasicProperties
        {
            Type = WireProtocol.Request,
            CorrelationId = pending.CorrelationId,
            MessageId = string.Create(CultureInfo.InvariantCulture, $"{replyTo}/{pending.CorrelationId}.{pending.Attempts}"),
            ReplyTo = replyTo,
            Headers = headers,
        };
        return new(pending.Destination, properties, Body($"Request {request}", writer => WriteArguments(writer, request))) { Mandatory = true, Pending = pending };
    }

    public static WireMessage WriteCancel(PendingRequest pending, string replyTo) => new(
        pending.Destination,
        new() { Type = WireProtocol.Cancel, CorrelationId = pending.CorrelationId, ReplyTo = replyTo, Headers = Headers() },
        ReadOnlyMemory<byte>.Empty);

    /// <summary>The request that a message carries.</summary>
    /// <exception cref="Exception">It is not one that this process can serve; the message says why.</exception>
    public Invocation Read(IReadOnlyBasicProperties properties, ReadOnlySpan<byte> body, IInvocationObserver observer)
    {
        if (properties.Number(WireProtocol.VersionHeader) is var version && version != WireProtocol.Version)
            throw new OrleansMessageRejectionException($"The request has version {version?.ToString(CultureInfo.InvariantCulture) ?? "none"} of the protocol; this silo speaks {WireProtocol.Version}.");
        var target = Target(properties);
        var method = classes.OfType(target.Type).MethodNamed(properties.Text(WireProtocol.Method) ?? "");
        ActivityContext.TryParse(properties.Text(WireProtocol.TraceParent), properties.Text(WireProtocol.TraceState), isRemote: true, out var parent);
        var request = method.CreateInvocation(target, ReadArguments(method, body), clock);
        request.RemoteParent = parent;
        request.Observer = observer;
        return request;
    }

    public static GrainId Target(IReadOnlyBasicProperties properties) =>
        new(properties.Text(WireProtocol.GrainType) ?? "", properties.Text(WireProtocol.GrainKey) ?? "");

    /// <summary>The outcome of a request. One that cannot be written becomes the error that says so.</summary>
    public WireMessage WriteOutcome(Invocation request, string replyTo, string correlationId, string silo)
    {
        if (request.Error is { } error)
            return WriteError(error, replyTo, correlationId, silo);
        try
        {
            return Result(WireProtocol.Ok, replyTo, correlationId, silo, Body($"The result of {request}", writer => request.WriteResult(writer, json)));
        }
        catch (OrleansMessageRejectionException exception)
        {
            return WriteError(exception, replyTo, correlationId, silo);
        }
    }

    public WireMessage WriteError(Exception exception, string replyTo, string correlationId, string silo) => Result(
        WireProtocol.Failed, replyTo, correlationId, silo, Body("An exception", writer => WireExceptions.Write(writer, exception, json)));

    /// <summary>The silo did not take the request.</summary>
    public static WireMessage WriteNotTaken(string status, string replyTo, string correlationId, string silo, string? owner = null, string? reason = null)
    {
        var message = Result(status, replyTo, correlationId, silo, ReadOnlyMemory<byte>.Empty);
        if (owner is not null)
            message.Properties.Headers![WireProtocol.Owner] = owner;
        if (reason is not null)
            message.Properties.Headers![WireProtocol.Reason] = reason;
        return message;
    }

    /// <summary>Gives a result or error to the request that waits for it.</summary>
    public void Complete(Invocation request, string? status, ReadOnlySpan<byte> body)
    {
        try
        {
            if (status == WireProtocol.Ok)
                request.Complete(body, json);
            else
                request.Fail(exceptions.Read(body, json), "failed");
        }
        catch (Exception exception)
        {
            request.Fail(new OrleansMessageRejectionException($"The answer to {request} cannot be read: {exception.Message}", exception), "rejected");
        }
    }

    private static WireMessage Result(string status, string replyTo, string correlationId, string silo, ReadOnlyMemory<byte> body)
    {
        var headers = Headers();
        headers[WireProtocol.Status] = status;
        headers[WireProtocol.Owner] = silo;
        return new(replyTo, new() { Type = WireProtocol.Result, CorrelationId = correlationId, Headers = headers }, body);
    }

    private static Dictionary<string, object?> Headers() => new() { [WireProtocol.VersionHeader] = WireProtocol.Version };

    private ReadOnlyMemory<byte> Body(string what, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1_024);
        try
        {
            using var writer = new Utf8JsonWriter(buffer);
            write(writer);
        }
        catch (Exception exception)
        {
            throw new OrleansMessageRejectionException($"{what} cannot be sent: {exception.Message}", exception);
        }
        if (buffer.WrittenCount > options.MaxMessageBytes)
            throw new OrleansMessageRejectionException($"{what} is too large: {buffer.WrittenCount} bytes, the limit is {options.MaxMessageBytes} (Cluster:MaxMessageBytes).");
        return buffer.WrittenMemory;
    }

    private void WriteArguments(Utf8JsonWriter writer, Invocation request)
    {
        writer.WriteStartArray();
        for (var index = 0; index < request.Arguments.Length; index++)
        {
            if (index == request.Method.CancellationIndex)
                writer.WriteNullValue();
            else
                JsonSerializer.Serialize(writer, request.Arguments[index], request.Method.ParameterTypes[index], json);
        }
        writer.WriteEndArray();
    }

    private object?[] ReadArguments(GrainMethod method, ReadOnlySpan<byte> body)
    {
        var arguments = new object?[method.ParameterTypes.Length];
        var reader = new Utf8JsonReader(body);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException("The arguments are not an array.");
        for (var index = 0; index < arguments.Length; index++)
        {
            if (!reader.Read() || reader.TokenType == JsonTokenType.EndArray)
                throw new JsonException($"{method.Name} takes {arguments.Length} arguments; {index} came.");
            arguments[index] = index == method.CancellationIndex ? CancellationToken.None : JsonSerializer.Deserialize(ref reader, method.ParameterTypes[index], json);
        }
        return arguments;
    }
}
