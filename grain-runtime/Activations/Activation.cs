using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Diagnostics;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.GrainRuntime.Timers;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>
/// One grain in memory: activates on its first request, runs turns by the rule of its <see cref="Mailbox"/> and, asked to or idle,
/// deactivates between turns. Requests that wait when it ends go on to the next activation. The lock guards bookkeeping only.
/// </summary>
internal sealed class Activation : IGrainContext
{
    private readonly Lock _gate = new();
    private readonly Mailbox _mailbox;
    private readonly ActivationScheduler _scheduler = new();
    private readonly GrainObject _grain;
    private readonly GrainCatalog _catalog;
    private readonly ActivationClaim _claim;
    private readonly IdleTime _idle;
    private readonly TaskCompletionSource _deactivated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OwnedDisposables _owned = new();
    private Phase _phase;
    private DeactivationReason? _endReason;
    private Invocation? _activatingFor;
    private bool _hasServed;

    public Activation(GrainId grainId, GrainClass grainClass, GrainCatalog catalog)
    {
        GrainId = grainId;
        _catalog = catalog;
        _mailbox = new(grainClass.Reentrant, catalog.Options.MaxWaitingRequests);
        _grain = new(grainClass, catalog.Services.CreateAsyncScope());
        _claim = new(grainId, catalog);
        _idle = new(catalog.Clock);
    }

    private enum Phase
    {
        Activating,
        Active,
        Deactivating,
        Gone,
    }

    public GrainId GrainId { get; }

    public object? GrainInstance => _grain.Instance;

    public IServiceProvider ActivationServices => _grain.Services;

    public Task Deactivated => _deactivated.Task;

    /// <summary>What lets it write its state, in a cluster.</summary>
    public GrainOwnership? Ownership => _claim.Ownership;

    public TimeProvider Clock => _catalog.Clock;

    public IGrainFactory GrainFactory => _catalog.Dispatcher;

    /// <summary>Begins to activate for its first request. Called once, by the catalog that has just entered it.</summary>
    public void Start(Invocation first)
    {
        _activatingFor = first;
        Run(ActivateAsync);
    }

    /// <summary>Takes the turn, or refuses it when the activation is gone.</summary>
    /// <exception cref="LimitExceededException">Too many requests wait.</exception>
    public bool TryPost(Turn turn)
    {
        lock (_gate)
        {
            if (_phase == Phase.Gone)
                return false;
            if (!MayBegin(turn))
            {
                if (_mailbox.IsFull)
                    throw new LimitExceededException("MaxWaitingRequests", _mailbox.Waiting, _catalog.Options.MaxWaitingRequests, GrainId);
                _mailbox.Enqueue(turn);
                return true;
            }
            Begin(turn);
        }
        return true;
    }

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_endReason is not null)
                return;
            _endReason = deactivationReason;
        }
        EndSoon();
    }

    public void DelayDeactivation(TimeSpan time) => _idle.KeepFor(time);

    /// <summary>Deactivates if unused for the age.</summary>
    public void CollectIfIdle(TimeSpan age)
    {
        lock (_gate)
        {
            if (!IsOpen || !_mailbox.IsEmpty || !_idle.IsLongerThan(age))
                return;
            _endReason = new(DeactivationReasonCode.ActivationIdle, $"Unused for {age}.");
        }
        EndSoon();
    }

    public GrainProxy AsReference(Type contract) => _catalog.Dispatcher.CreateReference(contract, GrainId);

    public IActivationState AddState(IActivationState state) => _grain.AddState(state);

    public IGrainTimer RegisterTimer<TState>(Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options)
    {
        var timer = new GrainTimer<TState>(this, callback, state, options);
        if (!TryOwn(timer))
        {
            timer.Dispose();
            return timer;
        }
        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    /// <summary>Disposes of the object when the activation ends. False when it already does.</summary>
    public bool TryOwn(IDisposable owned) => _owned.TryAdd(owned);

    public void Disown(IDisposable owned) => _owned.Remove(owned);

    /// <summary>A request ended with an exception: a lost race for the stored state means that what is in memory is not true.</summary>
    public void OnRequestFailed(Exception exception)
    {
        if (exception is InconsistentStateException conflict && conflict.MetBy == this)
            Deactivate(new(DeactivationReasonCode.ApplicationError, exception, "The stored state has another version than the one in memory."));
    }

    public void OnLateFailure(Invocation request, Exception exception) => _catalog.Log.LateFailure(request, exception);

    public void OnTimerFailed(Exception exception) => _catalog.Log.TimerFailed(GrainId, exception);

    /// <summary>Adds the requests that run and those that wait, with what they wait for.</summary>
    public void AddRequests(List<Invocation> running, List<WaitingCall> waiting)
    {
        lock (_gate)
        {
            if (_mailbox.IsEmpty)
                return;
            running.AddRange(_mailbox.Running.Select(turn => turn.Request).OfType<Invocation>());
            if (_mailbox.Waiting == 0)
                return;
            // While it activates, all wait for the request that it activates for, which waits for what OnActivateAsync has called.
            Invocation[] blocking = [.. _mailbox.Blocking.Select(turn => turn.Request).Append(_activatingFor).OfType<Invocation>()];
            waiting.AddRange(_mailbox.WaitingTurns.Select(turn => turn.Request).OfType<Invocation>()
                .Select(request => new WaitingCall(request, request == _activatingFor ? [] : blocking)));
        }
    }

    private bool IsOpen => _phase == Phase.Active && _endReason is null;

    // While a last request still runs, those that interleave may serve it: it may be waiting for one of them.
    private bool MayBegin(Turn turn) => IsOpen ? _mailbox.MayBegin(turn) : _phase == Phase.Active && turn.Interleaves && _mailbox.Blocking.Count > 0;

    // Under the lock.
    private void Begin(Turn turn)
    {
        _mailbox.Begin(turn);
        _hasServed = true;
        if (turn.KeepsAlive)
            _idle.Used();
        Run(() => RunAsync(turn));
    }

    private async Task RunAsync(Turn turn)
    {
        try
        {
            await turn.RunAsync(this);
        }
        catch (Exception exception)
        {
            _catalog.Log.TurnFailed(GrainId, exception);
            turn.Reject(exception);
        }
        lock (_gate)
        {
            _mailbox.End(turn);
            if (turn.KeepsAlive)
                _idle.Used();
            BeginWaiting();
            EndWhenQuiet();
        }
        turn.OnEnded(this);
    }

    // Under the lock.
    private void BeginWaiting()
    {
        while (IsOpen && _mailbox.TryTake(out var next))
            Begin(next);
    }

    private void EndSoon()
    {
        _owned.Close();     // first, so that a callback which waits for its token lets the activation end
        lock (_gate)
            EndWhenQuiet();
    }

    // Under the lock.
    private void EndWhenQuiet()
    {
        if (_phase != Phase.Active || _endReason is not { } reason || _mailbox.Running.Count > 0)
            return;
        _phase = Phase.Deactivating;
        Run(() => DeactivateAsync(reason));
    }

    private async Task ActivateAsync()
    {
        _activatingFor!.EnterContext();
        try
        {
            if (!await _claim.TryAcquireAsync())
            {
                await EndAsync(null);
                return;
            }
            await _grain.ActivateAsync(this, _catalog.Options.ActivationTimeout, Clock);
        }
        catch (Exception exception)
        {
            _catalog.Log.ActivationFailed(GrainId, exception);
            await EndAsync(exception);
            return;
        }
        GrainTelemetry.ActivationsChanged(GrainId.Type, 1);
        lock (_gate)
        {
            _phase = Phase.Active;
            _activatingFor = null;
            BeginWaiting();
            EndWhenQuiet();
        }
    }

    private async Task DeactivateAsync(DeactivationReason reason)
    {
        try
        {
            await _grain.DeactivateAsync(reason, _catalog.Options.DeactivationTimeout, Clock);
        }
        catch (Exception exception)
        {
            _catalog.Log.DeactivationFailed(GrainId, exception);
        }
        GrainTelemetry.ActivationsChanged(GrainId.Type, -1);
        await EndAsync(null);
    }

    // With an error, waiting requests get it; without, they go on to the next activation.
    private async Task EndAsync(Exception? error)
    {
        _owned.Close();
        try
        {
            await _grain.DisposeAsync();
        }
        catch (Exception exception)
        {
            _catalog.Log.DeactivationFailed(GrainId, exception);
        }
        await _claim.ReleaseAsync();

        List<Turn> waiting;
        _catalog.Remove(this);
        lock (_gate)
        {
            _phase = Phase.Gone;
            waiting = _mailbox.TakeAll();
        }
        foreach (var turn in waiting)
            PassOn(turn, error);
        _deactivated.SetResult();
    }

    private void PassOn(Turn turn, Exception? error)
    {
        if (error is not null || turn.Request is not { } request)
            turn.Reject(error ?? new ObjectDisposedException(GrainId.ToString()));
        else if (_claim.RefusedBy is { } cluster)
            cluster.SendElsewhere(request, _claim.Owner);
        else if (_hasServed || request.MayTryAnotherActivation())
            _catalog.Dispatcher.Route(request);
        else
            request.Reject(new OrleansMessageRejectionException($"Request {request} was not served: grain {GrainId} deactivates as soon as it is activated."));
    }

    // Nothing of the caller's context flows in: a request carries what it should.
    private void Run(Func<Task> work)
    {
        using var _ = ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow();
        new Task<Task>(work).Start(_scheduler);
    }
}
