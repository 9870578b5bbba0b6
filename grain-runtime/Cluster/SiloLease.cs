namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>
/// What this process knows of its own lease. It counts from the start of the last renewal that succeeded, on the monotonic clock, and ends
/// a sixth early: so it ends here before it ends in the database, and it has ended when a stopped process wakes up.
/// </summary>
internal sealed class SiloLease(TimeProvider clock, TimeSpan length)
{
    private readonly TimeSpan _usable = length * 5 / 6;
    private State? _state;

    private sealed record State(string Silo, long RenewedAt);

    /// <summary>The silo whose lease this is, while it is valid.</summary>
    public string? ValidSilo => Volatile.Read(ref _state) is { } state && clock.GetElapsedTime(state.RenewedAt) < _usable ? state.Silo : null;

    /// <summary>The silo whose lease this is or was; <see langword="null"/> when it has been given up.</summary>
    public string? Silo => Volatile.Read(ref _state)?.Silo;

    public bool IsValid => ValidSilo is not null;

    /// <param name="silo">Whose.</param>
    /// <param name="renewalBegan">Timestamp from before the request to the database.</param>
    public void Renewed(string silo, long renewalBegan) => Volatile.Write(ref _state, new(silo, renewalBegan));

    public void GiveUp() => Volatile.Write(ref _state, null);
}
