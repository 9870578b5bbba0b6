using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;

namespace VoiceGrains.GrainRuntime.Timers;

/// <summary>A timer whose ticks are turns. The next tick is armed when one ends, so ticks never pile up.</summary>
internal sealed class GrainTimer<TState> : Turn, IGrainTimer
{
    private readonly Lock _gate = new();
    private readonly Activation _activation;
    private readonly Func<TState, CancellationToken, Task> _callback;
    private readonly TState _state;
    private readonly GrainTimerCreationOptions _options;
    private readonly CancellationTokenSource _disposed = new();
    private readonly ITimer _timer;
    private TimeSpan _period = Timeout.InfiniteTimeSpan;
    private bool _ticking;          // a tick waits or runs
    private bool _changed;          // while a tick ran: its end must not arm the timer again
    private bool _missed;           // fell due while a tick ran: tick again when it ends

    public GrainTimer(Activation activation, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options)
    {
        (_activation, _callback, _state, _options) = (activation, callback, state, options);
        using var _ = ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow();
        _timer = activation.Clock.CreateTimer(
            static self => ((GrainTimer<TState>)self!).OnDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override bool Interleaves => _options.Interleave;

    public override bool KeepsAlive => _options.KeepAlive;

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        ThrowIfUnusable(dueTime, nameof(dueTime));
        ThrowIfUnusable(period, nameof(period));
        lock (_gate)
        {
            if (_disposed.IsCancellationRequested)
                return;
            _period = period;
            _changed = true;
            _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed.IsCancellationRequested)
                return;
            _timer.Dispose();
            _ = _disposed.CancelAsync();
        }
        _activation.Disown(this);
    }

    public override async Task RunAsync(Activation activation)
    {
        if (_disposed.IsCancellationRequested)
            return;
        CallContext.Current = null;
        lock (_gate)
            _changed = _missed = false;
        try
        {
            await _callback(_state, _disposed.Token);
        }
        catch (OperationCanceledException) when (_disposed.IsCancellationRequested)
        {
            // The activation or the timer ended, and the callback with it.
        }
        catch (Exception exception)
        {
            activation.OnTimerFailed(exception);
        }
        lock (_gate)
        {
            _ticking = false;
            if (!_disposed.IsCancellationRequested && (_missed || !_changed))
                _timer.Change(_missed ? TimeSpan.Zero : _period, Timeout.InfiniteTimeSpan);
        }
    }

    public override void Reject(Exception exception) => Dispose();

    private static void ThrowIfUnusable(TimeSpan time, string name)
    {
        if (time != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeSpan.FromMilliseconds(uint.MaxValue - 1), name);
        }
    }

    private void OnDue()
    {
        lock (_gate)
        {
            if (_disposed.IsCancellationRequested)
                return;
            if (_ticking)
            {
                _missed = true;     // if the other tick still waits, it serves both
                return;
            }
            _ticking = true;
        }
        try
        {
            _activation.TryPost(this);
        }
        catch (LimitExceededException exception)
        {
            _activation.OnTimerFailed(exception);
            lock (_gate)
            {
                _ticking = false;
                _timer.Change(_period, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
