namespace VoiceGrains.Providers.Http;

/// <summary>
/// The limits of one request in one token: a limit for what is awaited now (first token, next token) inside one for the whole.
/// Disarmed while the caller is busy with what came, so that a slow listener is not taken for a slow provider. Not safe for concurrent use.
/// </summary>
internal sealed class PhaseTimeout : IDisposable
{
    private readonly string _provider;
    private readonly TimeProvider _clock;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _phase;
    private readonly CancellationTokenSource _linked;
    private readonly long _began;
    private readonly TimeSpan _whole;
    private string _awaited = "answer";
    private TimeSpan _limit;

    public PhaseTimeout(string provider, TimeSpan whole, TimeProvider clock, CancellationToken caller)
    {
        (_provider, _whole, _clock, _caller, _began) = (provider, whole, clock, caller, clock.GetTimestamp());
        _phase = new CancellationTokenSource(whole, clock);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(caller, _phase.Token);
        _limit = whole;
    }

    public CancellationToken Token => _linked.Token;

    /// <summary>What is left of the whole request's time.</summary>
    public TimeSpan Left => _whole - _clock.GetElapsedTime(_began);

    /// <summary>Begins to wait for something, named as in "no {awaited} within 10 s".</summary>
    public void Arm(string awaited, TimeSpan limit)
    {
        var left = Left;
        (_awaited, _limit) = limit < left ? (awaited, limit) : ("end of the answer", _whole);
        _phase.CancelAfter(limit < left ? limit : left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>It came: only the limit of the whole runs on.</summary>
    public void Disarm() => Arm("end of the answer", TimeSpan.MaxValue);

    /// <summary>What a cancellation under <see cref="Token"/> means: the caller's own, or a timeout of the provider's.</summary>
    public Exception Translate(OperationCanceledException exception)
    {
        if (_caller.IsCancellationRequested) return new OperationCanceledException(exception.Message, exception, _caller);
        return _phase.IsCancellationRequested
            ? new ProviderException(_provider, ProviderFault.TimedOut, $"{_provider} gave no {_awaited} within {_limit.TotalSeconds:0.###} s.", exception)
            : new ProviderException(_provider, ProviderFault.TimedOut, $"{_provider} did not accept a connection in time.", exception);
    }

    public void Dispose()
    {
        _linked.Dispose();
        _phase.Dispose();
    }
}
