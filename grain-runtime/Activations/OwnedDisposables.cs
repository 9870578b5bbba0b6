namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>What an activation started and takes with it when it ends: timers and stream subscriptions.</summary>
internal sealed class OwnedDisposables
{
    private readonly Lock _gate = new();
    private HashSet<IDisposable>? _all = [];

    /// <summary>False when the end has begun; the caller then disposes of it.</summary>
    public bool TryAdd(IDisposable owned)
    {
        lock (_gate)
            return _all is not null && _all.Add(owned);
    }

    public void Remove(IDisposable owned)
    {
        lock (_gate)
            _all?.Remove(owned);
    }

    /// <summary>Disposes of all and takes no more. Not to be called under a lock: what is disposed of has locks of its own.</summary>
    public void Close()
    {
        HashSet<IDisposable>? all;
        lock (_gate)
            (all, _all) = (_all, null);
        foreach (var owned in all ?? [])
            owned.Dispose();
    }
}
