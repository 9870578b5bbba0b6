using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Directory;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>
/// Brings requests to the grains of other processes. A request is first sent to whoever has the grain; when nobody has, a silo is chosen and
/// asked to activate it. It is sent again only as long as it certainly has not begun: an outcome that nobody knows is an error.
/// </summary>
internal sealed partial class OutboundRequests(
    GrainCatalog catalog, GrainClasses classes, WireCodec codec, ClusterMembership membership, GrainDirectory directory, ClusterOptions options,
    string processId, Func<WireMessage, bool> send, Func<TimeSpan> disconnectedFor, TimeProvider clock, ILogger logger) : IInvocationObserver
{
    private const int MostHops = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>How long requests wait for a lost broker: a shorter loss is not noticed by callers.</summary>
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookUpAge = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, PendingRequest> _pending = new();
    private readonly string _replyTo = WireProtocol.Address(processId);
    private long _lastCorrelationId;

    /// <summary>Takes a request of this process.</summary>
    public void Send(Invocation request)
    {
        if (Enter(request) is { } pending)
            Route(pending);
    }

    /// <summary>Takes a request whose grain turned out to be on that silo.</summary>
    public void SendTo(Invocation request, string? owner)
    {
        if (Enter(request) is { } pending)
            OnElsewhere(pending, owner);
    }

    public void OnResult(BasicDeliverEventArgs message)
    {
        var properties = message.BasicProperties;
        if (!_pending.TryGetValue(properties.CorrelationId ?? "", out var pending))
            return;     // its caller has stopped waiting, or the answer came twice
        pending.Sent = false;
        switch (properties.Text(WireProtocol.Status))
        {
            case WireProtocol.Elsewhere:
                OnElsewhere(pending, properties.Text(WireProtocol.Owner));
                break;
            case WireProtocol.Inactive:
                Later(pending, Pause / 10);
                break;
            case WireProtocol.Refused:
                pending.Refuse(pending.Silo ?? "", properties.Text(WireProtocol.Reason));
                Place(pending);
                break;
            case var status:
                if (_pending.TryRemove(pending.CorrelationId, out _))
                    codec.Complete(pending.Request, status, message.Body.Span);
                break;
        }
    }

    /// <summary>Nobody has the grain, or the silo that was asked is gone.</summary>
    public void OnReturned(BasicReturnEventArgs message)
    {
        if (message.BasicProperties.Type != WireProtocol.Request || !_pending.TryGetValue(message.BasicProperties.CorrelationId ?? "", out var pending))
            return;
        pending.Sent = false;
        if (pending.Silo is { } silo)
        {
            pending.Refuse(silo, "gone");
            Later(pending, Pause);
        }
        else
        {
            Place(pending);
        }
    }

    /// <summary>What had been sent may have been done or not.</summary>
    public void OnDisconnected() => FailLost(pending => pending.Sent, "the connection to RabbitMQ was lost");

    /// <summary>Ends requests that waited too long, and those whose silo has died. Called every now and then.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var timeout = catalog.Options.ResponseTimeout;
        foreach (var pending in _pending.Values.Where(pending => clock.GetElapsedTime(pending.Request.Started) >= timeout))
        {
            if (pending.Request.Fail(new TimeoutException($"Request {pending.Request} did not complete within {timeout}.{Because(pending)}"), "timeout"))
                catalog.Log.TimedOut(pending.Request);
        }
        if (disconnectedFor() > BrokerPatience)
            RejectUnsent();
        PendingRequest[] unknown = [.. _pending.Values.Where(pending => pending is { Sent: true, Silo: null } && clock.GetElapsedTime(pending.Request.Started) >= LookUpAge)];
        if (unknown.Length > 0)
        {
            var owners = await directory.OwnersAsync([.. unknown.Select(pending => pending.Request.Target).Distinct()], cancellationToken).ConfigureAwait(false);
            foreach (var pending in unknown)
                pending.GoesTo(owners.GetValueOrDefault(pending.Request.Target), clock.GetTimestamp());
        }
        var view = membership.View;
        FailLost(pending => pending is { Sent: true, Silo: { } silo } && view.HasDied(silo, pending.SiloKnownAt), "its silo has died");
    }

    public void OnCompleted(Invocation request, string outcome)
    {
        // By its result it has left already; this is for the caller's own end of waiting.
        if (request.Correlation is not { } correlationId || !_pending.TryRemove(correlationId, out var pending))
            return;
        if (pending.Sent && outcome is "timeout" or "cancelled" && request.Method.CancellationIndex is not null)
            send(WireCodec.WriteCancel(pending, _replyTo));
    }

    private PendingRequest? Enter(Invocation request)
    {
        if (request.Observer is not null && request.Observer != this)
        {
            request.Reject(new OrleansMessageRejectionException($"Request {request} came from elsewhere and is not sent on."));
            return null;
        }
        if (++request.Hops > MostHops)
        {
            request.Reject(new OrleansMessageRejectionException($"Request {request} found no silo that keeps its grain active."));
            return null;
        }
        var pending = new PendingRequest(request, Interlocked.Increment(ref _lastCorrelationId).ToString(CultureInfo.InvariantCulture));
        request.Correlation = pending.CorrelationId;
        request.Observer = this;
        _pending[pending.CorrelationId] = pending;
        if (request.IsCompleted)
            _pending.TryRemove(pending.CorrelationId, out _);
        return pending;
    }

    // To whoever has the grain.
    private void Route(PendingRequest pending)
    {
        if (membership.View.HasSuspects)
            _ = RunAsync(pending, LookUpAsync);
        else
            Post(pending, WireProtocol.RoutingKey(pending.Request.Target), silo: null);
    }

    // A silo that does not know that it is dead may still be bound: the directory knows better.
    private async Task LookUpAsync(PendingRequest pending)
    {
        using var timeout = new CancellationTokenSource(catalog.Options.ResponseTimeout, clock);
        if (await directory.FindAsync(pending.Request.Target, timeout.Token).ConfigureAwait(false) is not { } owner)
            Place(pending);
        else if (owner == membership.LocalSilo)
            DispatchHere(pending);
        else
            Post(pending, WireProtocol.Address(owner), owner);
    }

    private void Place(PendingRequest pending)
    {
        var grain = pending.Request.Target;
        try
        {
            var view = membership.View;
            var local = options.ClientOnly || membership.IsDraining || catalog.IsStopping || catalog.Count >= options.MaxActivations ? null : membership.LocalSilo;
            var (silo, problem) = Placement.Choose(
                view, grain, classes.OfType(grain.Type).Type, options.RequiredRoles.TryGetValue(grain.Type, out var role) ? role : null, local, pending.Refused, Random.Shared);
            if (silo is null)
            {
                _ = RunAsync(pending, one => LookAgainAsync(one, problem!));
                return;
            }
            view.Placed(silo.Id);
            if (silo.Id == local)
                DispatchHere(pending);
            else if (silo.Id == membership.Lease.Silo)
                RefuseHere(pending, silo.Id);
            else
                Post(pending, WireProtocol.Address(silo.Id), silo.Id);
        }
        catch (Exception exception)
        {
            pending.Request.Reject(exception);
        }
    }

    private void RefuseHere(PendingRequest pending, string silo)
    {
        pending.Refuse(silo, options.ClientOnly || membership.IsDraining || catalog.IsStopping ? "draining" : WireProtocol.Full(options.MaxActivations));
        Place(pending);
    }

    // The view may be old: once more with a new one, and then the problem is told.
    private async Task LookAgainAsync(PendingRequest pending, PlacementProblem problem)
    {
        if (pending.LookedAgain)
        {
            Reject(pending, problem);
            return;
        }
        pending.LookedAgain = true;
        await Task.Delay(Pause, clock).ConfigureAwait(false);
        await membership.RefreshAsync(CancellationToken.None).ConfigureAwait(false);
        pending.ForgetRefusals();
        Route(pending);
    }

    private static void Reject(PendingRequest pending, PlacementProblem problem)
    {
        var text = pending.Reason is null ? problem.Text : $"{problem.Text} The last refusal: {pending.Reason}.";
        pending.Request.Reject(problem.IsForRoom || pending.WasForRoom ? new LimitExceededException(text) : new SiloUnavailableException(text));
    }

    private void DispatchHere(PendingRequest pending)
    {
        if (!_pending.TryRemove(pending.CorrelationId, out _))
            return;
        pending.Request.Observer = null;
        pending.Request.Correlation = null;
        catalog.Dispatch(pending.Request);
    }

    private void OnElsewhere(PendingRequest pending, string? owner)
    {
        if (owner is { Length: > 0 } && !pending.Refused.Contains(owner))
            Post(pending, WireProtocol.Address(owner), owner);
        else
            Later(pending, Pause / 4);
    }

    private void Later(PendingRequest pending, TimeSpan pause) => _ = RunAsync(pending, async one =>
    {
        one.ForgetRefusals();
        await Task.Delay(pause, clock).ConfigureAwait(false);
        Route(one);
    });

    private void Post(PendingRequest pending, string destination, string? silo)
    {
        if (pending.Request.IsCompleted)
            return;
        pending.Destination = destination;
        pending.GoesTo(silo, clock.GetTimestamp());
        pending.Attempts++;
        try
        {
            if (!send(codec.Write(pending, _replyTo)))
                pending.Request.Reject(new LimitExceededException($"Request {pending.Request} was not sent: {options.SendQueueLength} messages wait for RabbitMQ already."));
        }
        catch (Exception exception)
        {
            pending.Request.Reject(exception);
        }
    }

    private static async Task RunAsync(PendingRequest pending, Func<PendingRequest, Task> step)
    {
        try
        {
            if (!pending.Request.IsCompleted)
                await step(pending).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            pending.Request.Reject(new SiloUnavailableException($"Request {pending.Request} could not be sent: {exception.Message}", exception));
        }
    }

    // Nothing of them has begun: their callers may ask again, here or at another process.
    private void RejectUnsent()
    {
        foreach (var pending in _pending.Values.Where(pending => !pending.Sent))
            pending.Request.Reject(new SiloUnavailableException($"Request {pending.Request} was not sent: RabbitMQ is not connected."));
    }

    private void FailLost(Func<PendingRequest, bool> lost, string what)
    {
        foreach (var pending in _pending.Values.Where(lost))
        {
            if (pending.Request.Fail(new SiloUnavailableException($"Whether {pending.Request} was done is not known: {what}."), "rejected"))
                LogLost(pending.Request, what);
        }
    }

    private static string Because(PendingRequest pending) => pending switch
    {
        { Sent: true } => "",
        { Reason: { } reason } => $" No silo took it; the last answer was: {reason}.",
        _ => " It could not be sent: RabbitMQ is not connected.",
    };

    [LoggerMessage(1570, LogLevel.Warning, "Request {Request} is lost: {What}")]
    private partial void LogLost(Invocation request, string what);
}
