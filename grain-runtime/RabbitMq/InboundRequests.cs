using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>Serves the requests that come from other processes.</summary>
internal sealed partial class InboundRequests(
    GrainCatalog catalog, WireCodec codec, ClusterOptions options, SiloLease lease, Func<bool> isDraining, Func<WireMessage, bool> send, ILogger logger)
{
    // About ten seconds of a busy silo's requests: a broker repeats a message at once or never.
    private const int RememberedMessages = 65_536;

    private readonly DuplicateWindow _window = new(RememberedMessages);
    private readonly ConcurrentDictionary<(string ReplyTo, string CorrelationId), Invocation> _running = new();

    public void OnRequest(BasicDeliverEventArgs message)
    {
        var properties = message.BasicProperties;
        if (properties is not { ReplyTo: { Length: > 0 } replyTo, CorrelationId: { Length: > 0 } correlationId, MessageId: { Length: > 0 } messageId })
        {
            Park(message, "It says not who asks.");
            return;
        }
        if (lease.ValidSilo is not { } silo)
            return;     // taken for dead: whoever asks will see that, too, and an owner that is alive may have got it as well
        if (!_window.TryAdd(messageId))
        {
            LogDuplicate(messageId);
            return;
        }
        if (message.Body.Length > options.MaxMessageBytes)
        {
            LogTooLarge(message.Body.Length, replyTo, options.MaxMessageBytes);     // and not parked: the queue of the parked is for small ones
            Send(codec.WriteError(new OrleansMessageRejectionException(
                $"The request is too large for silo {silo}: {message.Body.Length} bytes, the limit is {options.MaxMessageBytes} (Cluster:MaxMessageBytes)."), replyTo, correlationId, silo));
            return;
        }
        Invocation request;
        try
        {
            request = codec.Read(properties, message.Body.Span, new Answer(this, replyTo, correlationId, silo));
        }
        catch (Exception exception)
        {
            LogUnreadable(replyTo, exception);
            Send(codec.WriteError(
                exception as OrleansException ?? new OrleansMessageRejectionException($"Silo {silo} cannot read the request: {exception.Message}", exception), replyTo, correlationId, silo));
            Park(message, exception.Message);
            return;
        }
        if (Refusal(request.Target, properties.Number(WireProtocol.Activate) is not null) is var (status, reason) && status is not null)
        {
            Send(WireCodec.WriteNotTaken(status, replyTo, correlationId, silo, reason: reason));
            return;
        }
        _running[(replyTo, correlationId)] = request;
        request.ObserveCancellation();
        catalog.Dispatch(request);
    }

    public void OnCancel(IReadOnlyBasicProperties properties)
    {
        if (_running.TryGetValue((properties.ReplyTo ?? "", properties.CorrelationId ?? ""), out var request))
            request.Fail(new OperationCanceledException($"The caller of {request} has cancelled."), "cancelled");
    }

    /// <summary>Sends the request back to its caller, with where its grain is. False when it did not come from another process.</summary>
    public bool TrySendBack(Invocation request, string? owner)
    {
        if (request.Observer is not Answer answer)
            return false;
        answer.SendBack(request, owner);
        return true;
    }

    /// <summary>Keeps a message that nobody can handle for an operator to look at.</summary>
    public void Park(BasicDeliverEventArgs message, string reason)
    {
        LogPoison(message.BasicProperties.Type ?? "none", reason);
        var properties = new BasicProperties(message.BasicProperties) { DeliveryMode = DeliveryModes.Persistent };
        properties.Headers = new Dictionary<string, object?>(properties.Headers ?? new Dictionary<string, object?>())
        {
            [WireProtocol.Reason] = reason.Length <= 500 ? reason : reason[..500],
        };
        Send(new(BrokerConnection.PoisonQueue(options), properties, message.Body.ToArray()) { ToQueue = true });
    }

    private (string? Status, string? Reason) Refusal(GrainId grain, bool mayActivate)
    {
        if (catalog.Contains(grain))
            return default;
        if (!mayActivate)
            return (WireProtocol.Inactive, null);       // it was here until just now
        if (options.ClientOnly || isDraining() || catalog.IsStopping)
            return (WireProtocol.Refused, "draining");
        return catalog.Count >= options.MaxActivations ? (WireProtocol.Refused, WireProtocol.Full(options.MaxActivations)) : default;
    }

    private void SendOutcome(Invocation request, string replyTo, string correlationId, string silo) =>
        Send(codec.WriteOutcome(request, replyTo, correlationId, silo));

    private void Send(WireMessage message)
    {
        if (!send(message))
            LogUnsent(message.Properties.Type!, message.RoutingKey);
    }

    /// <summary>The way back to the caller.</summary>
    private sealed class Answer(InboundRequests owner, string replyTo, string correlationId, string silo) : IInvocationObserver
    {
        private bool _sentBack;

        public void OnCompleted(Invocation request, string outcome)
        {
            if (owner._running.TryRemove((replyTo, correlationId), out _) && !_sentBack)
                owner.SendOutcome(request, replyTo, correlationId, silo);
        }

        public void SendBack(Invocation request, string? elsewhere)
        {
            _sentBack = true;
            if (request.Fail(new OrleansMessageRejectionException($"Grain {request.Target} is elsewhere."), "rejected") && request.Error is not null)
                owner.Send(WireCodec.WriteNotTaken(WireProtocol.Elsewhere, replyTo, correlationId, silo, elsewhere ?? ""));
        }
    }

    [LoggerMessage(1560, LogLevel.Debug, "Message {MessageId} came again and was ignored")]
    private partial void LogDuplicate(string messageId);

    [LoggerMessage(1561, LogLevel.Warning, "A request from {Caller} was refused because it cannot be read here")]
    private partial void LogUnreadable(string caller, Exception exception);

    [LoggerMessage(1564, LogLevel.Warning, "A request of {Bytes} bytes from {Caller} was refused: the limit is {Limit} (Cluster:MaxMessageBytes)")]
    private partial void LogTooLarge(int bytes, string caller, int limit);

    [LoggerMessage(1562, LogLevel.Error, "A message of type {Type} was parked: {Reason}")]
    private partial void LogPoison(string type, string reason);

    [LoggerMessage(1563, LogLevel.Error, "The send queue is full: a {Type} to {Destination} is lost, and its caller will time out")]
    private partial void LogUnsent(string type, string destination);
}
