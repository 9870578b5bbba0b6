using Npgsql;

namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>
/// Keeps SQL tables in step with a grain state: runs in the transaction of every write and clear of a <typeparamref name="TState"/>,
/// so that a list over those tables never differs from the grains. An exception rolls back the state as well. Register as a singleton.
/// </summary>
public interface IStateProjection<TState>
{
    /// <summary>Writes the rows that follow from the state.</summary>
    /// <param name="connection">The connection of the write.</param>
    /// <param name="transaction">Its transaction. Do not commit it.</param>
    /// <param name="grainKey">Key of the grain whose state it is.</param>
    /// <param name="state">The new state; <see langword="null"/> when it is cleared.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    Task ProjectAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string grainKey, TState? state, CancellationToken cancellationToken);
}
