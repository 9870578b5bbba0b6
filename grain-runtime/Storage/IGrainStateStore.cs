namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>Where one state of one grain is stored.</summary>
public readonly record struct StateAddress(string GrainType, string GrainKey, string StateName)
{
    public override string ToString() => $"{GrainType}/{GrainKey}/{StateName}";
}

/// <summary>A stored state and its version.</summary>
public readonly record struct StoredState<TState>(TState State, int Etag);

/// <summary>Stores grain state with optimistic concurrency: a change names the version it replaces.</summary>
public interface IGrainStateStore
{
    /// <summary>The stored state; <see langword="null"/> when none is stored.</summary>
    Task<StoredState<TState>?> ReadAsync<TState>(StateAddress address, CancellationToken cancellationToken);

    /// <summary>Stores a state and its projections, all or nothing.</summary>
    /// <param name="address">Which state.</param>
    /// <param name="state">The new value.</param>
    /// <param name="etag">The version to replace; <see langword="null"/> when none should be stored yet.</param>
    /// <param name="ownership">In a cluster: what the writer must still have, checked in the same statement.</param>
    /// <param name="cancellationToken">Cancels; whether the change was made is then unknown.</param>
    /// <returns>The new version.</returns>
    /// <exception cref="Orleans.Storage.InconsistentStateException">Another version is stored, or the ownership is lost. Nothing was changed.</exception>
    Task<int> WriteAsync<TState>(StateAddress address, TState state, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken);

    /// <summary>Deletes a state and its projections, all or nothing.</summary>
    /// <exception cref="Orleans.Storage.InconsistentStateException">Another version is stored, or the ownership is lost. Nothing was changed.</exception>
    Task ClearAsync<TState>(StateAddress address, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken);
}
