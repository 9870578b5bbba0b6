using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Whether this silo takes new calls, and how many it carries. Every media ingress enters a call before it uses up the join URL, and leaves when the
/// call's end is stored. Once closed it stays closed: the silo is on its way out. Safe for concurrent use.
/// </summary>
public sealed class CallAdmission
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan? _retryAfter;
    private int _calls;

    public bool IsOpen
    {
        get
        {
            lock (_gate) return _retryAfter is null;
        }
    }

    /// <summary>Calls that entered and have not left.</summary>
    public int Calls
    {
        get
        {
            lock (_gate) return _calls;
        }
    }

    /// <summary>Completes when the admission is closed and the last call has left.</summary>
    public Task Empty => _empty.Task;

    /// <summary>Admits a call to this silo, until the result is disposed.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.Draining"/>: the admission is closed.</exception>
    public IDisposable Enter()
    {
        lock (_gate)
        {
            ThrowIfClosed();
            _calls++;
        }
        return new Pass(this);
    }

    /// <summary>Counts a call that is here already and goes on after its pass: its end, say, is still to be stored. Also when closed.</summary>
    public IDisposable Hold()
    {
        lock (_gate) _calls++;
        return new Pass(this);
    }

    /// <summary>For steps before a call has media, such as its creation.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.Draining"/>: the admission is closed.</exception>
    public void RequireOpen()
    {
        lock (_gate) ThrowIfClosed();
    }

    /// <summary>Takes no call any more. The first close decides.</summary>
    /// <param name="retryAfter">What refused clients are told: when another silo, or this one's successor, will serve them.</param>
    public void Close(TimeSpan retryAfter)
    {
        lock (_gate)
        {
            _retryAfter ??= retryAfter;
            if (_calls == 0) _empty.TrySetResult();
        }
    }

    private void ThrowIfClosed()
    {
        if (_retryAfter is { } wait) throw new PlatformException(ErrorCode.Draining, "This server is stopping and takes no new calls.") { RetryAfter = wait };
    }

    private void Leave()
    {
        lock (_gate)
        {
            _calls--;
            if (_calls == 0 && _retryAfter is not null) _empty.TrySetResult();
        }
    }

    private sealed class Pass(CallAdmission admission) : IDisposable
    {
        private CallAdmission? _admission = admission;

        public void Dispose() => Interlocked.Exchange(ref _admission, null)?.Leave();
    }
}
