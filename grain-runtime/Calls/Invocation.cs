using System.Diagnostics;
using System.Text.Json;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Diagnostics;

namespace VoiceGrains.GrainRuntime.Calls;

/// <summary>One request from its call to its result.</summary>
internal abstract class Invocation : Turn
{
    private readonly TimeProvider _clock;
    private CancellationTokenSource? _cancellation;
    private CancellationTokenRegistration _callerCancelled;
    private Exception? _error;
    private int _completed;
    private int _fruitlessActivations;

    protected Invocation(GrainMethod method, GrainId target, object?[] arguments, Invocation? caller, TimeProvider clock)
    {
        Method = method;
        Target = target;
        Arguments = arguments;
        Caller = caller;
        Started = clock.GetTimestamp();
        _clock = clock;
        TraceParent = Activity.Current;
    }

    public GrainMethod Method { get; }

    public GrainId Target { get; }

    /// <summary>The request that made this call, until this one has completed.</summary>
    public Invocation? Caller { get; private set; }

    /// <summary>Timestamp of the call by the runtime's clock.</summary>
    public long Started { get; }

    public bool IsCompleted => Volatile.Read(ref _completed) != 0;

    public override bool Interleaves => Method.AlwaysInterleave;

    public override bool IsReadOnly => Method.ReadOnly;

    public override Invocation Request => this;

    public object?[] Arguments { get; private set; }

    public Activity? TraceParent { get; }

    /// <summary>The caller's span, where the caller is in another process.</summary>
    public ActivityContext RemoteParent { get; set; }

    /// <summary>Told once of the outcome. Set before the request is given away.</summary>
    public IInvocationObserver? Observer { get; set; }

    /// <summary>Its number among the requests that other processes are to answer.</summary>
    public string? Correlation { get; set; }

    /// <summary>How often the request has been sent to a silo that did not have its grain.</summary>
    public int Hops { get; set; }

    /// <summary>What it failed with, once it has.</summary>
    public abstract Exception? Error { get; }

    /// <summary>Ends the wait of the caller when its token is cancelled, and gives the callee a token that a timeout cancels too.</summary>
    public void ObserveCancellation()
    {
        if (Method.CancellationIndex is not { } index || Arguments[index] is not CancellationToken token)
            return;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(token);
        Arguments[index] = _cancellation.Token;
        if (token.CanBeCanceled)
            _callerCancelled = token.UnsafeRegister(static (self, token) => ((Invocation)self!).Fail(new OperationCanceledException(token), "cancelled"), this);
    }

    /// <summary>Counts the activations that ended without serving anything: a grain that never stays must not be activated for ever.</summary>
    public bool MayTryAnotherActivation() => ++_fruitlessActivations < 3;

    /// <summary>Makes the code that follows part of this request, in its trace and its chain of calls.</summary>
    public void EnterContext()
    {
        CallContext.Current = this;
        Activity.Current = TraceParent;
    }

    public sealed override async Task RunAsync(Activation activation)
    {
        if (IsCompleted)
            return;     // timed out or cancelled while it waited
        CallContext.Current = this;
        using var activity = GrainTelemetry.StartCall(this, TraceParent, _clock);
        try
        {
            await CallAsync(activation.GrainInstance!);
        }
        catch (Exception exception)
        {
            _error = exception;
            activation.OnRequestFailed(exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            activity?.AddException(exception);
        }
    }

    public sealed override void OnEnded(Activation activation)
    {
        Arguments = [];
        if (_error is { } error)
        {
            if (!Fail(error, "failed"))
                activation.OnLateFailure(this, error);
        }
        else if (TryComplete())
        {
            SetResult();
            Release("ok");
        }
    }

    public sealed override void Reject(Exception exception) => Fail(exception, "rejected");

    /// <summary>Gives the caller an error, unless it already has an outcome.</summary>
    public bool Fail(Exception exception, string outcome)
    {
        if (!TryComplete())
            return false;
        SetException(exception);
        Release(outcome, cancel: outcome is "timeout" or "cancelled" or "deadlock");
        return true;
    }

    /// <summary>Gives the caller a result from another process.</summary>
    /// <exception cref="JsonException">The text is no such result. The request has no outcome yet.</exception>
    public void Complete(ReadOnlySpan<byte> json, JsonSerializerOptions options)
    {
        ReadResult(json, options);
        if (!TryComplete())
            return;
        SetResult();
        Release("ok");
    }

    /// <summary>Writes the result for another process.</summary>
    public abstract void WriteResult(Utf8JsonWriter writer, JsonSerializerOptions options);

    public override string ToString() => $"{Target}.{Method.Name}";

    /// <summary>Calls the grain's method and keeps its result.</summary>
    protected abstract Task CallAsync(object grain);

    protected abstract void ReadResult(ReadOnlySpan<byte> json, JsonSerializerOptions options);

    protected abstract void SetResult();

    protected abstract void SetException(Exception exception);

    // True for the one that may set the outcome.
    private bool TryComplete() => Interlocked.Exchange(ref _completed, 1) == 0;

    // What the request held must not live on in the contexts that captured it. Called when the outcome is set.
    private void Release(string outcome, bool cancel = false)
    {
        GrainTelemetry.Completed(this, outcome, _clock);
        Caller = null;
        _callerCancelled.Unregister();
        Observer?.OnCompleted(this, outcome);
        if (_cancellation is null)
            return;
        if (cancel)
            _ = CancelAsync(_cancellation);
        else
            _cancellation.Dispose();
    }

    // Off this thread: what the callee registered with its token is not for the canceller to wait for.
    private static async Task CancelAsync(CancellationTokenSource cancellation)
    {
        await cancellation.CancelAsync().ConfigureAwait(false);
        cancellation.Dispose();
    }
}

internal sealed class Invocation<TResult>(
    GrainMethod<TResult> method, GrainId target, object?[] arguments, Invocation? caller, TimeProvider clock)
    : Invocation(method, target, arguments, caller, clock)
{
    private readonly TaskCompletionSource<TResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResult? _value;

    public Task<TResult> Task => _result.Task;

    protected override async Task CallAsync(object grain) => _value = await method.Body(grain, Arguments);

    public override Exception? Error => _result.Task.Exception?.InnerException;

    public override void WriteResult(Utf8JsonWriter writer, JsonSerializerOptions options)
    {
        if (typeof(TResult) == typeof(VoidGrainMethod.Nothing))
            writer.WriteNullValue();
        else
            JsonSerializer.Serialize(writer, _value, options);
    }

    protected override void ReadResult(ReadOnlySpan<byte> json, JsonSerializerOptions options) =>
        _value = typeof(TResult) == typeof(VoidGrainMethod.Nothing) ? default : JsonSerializer.Deserialize<TResult>(json, options);

    protected override void SetResult() => _result.SetResult(_value!);

    protected override void SetException(Exception exception) => _result.SetException(exception);
}

/// <summary>Hears of a request's outcome.</summary>
internal interface IInvocationObserver
{
    /// <param name="request">Has its result or error by now.</param>
    /// <param name="outcome">As in the metrics: ok, failed, rejected, timeout, cancelled or deadlock.</param>
    void OnCompleted(Invocation request, string outcome);
}
