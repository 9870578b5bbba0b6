using Npgsql;

namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>
/// As <see cref="IStateProjection{TState}"/>, for tables that follow from the state alone: the statements are sent together with the state's own, so that they cost no
/// round trip. Register as a singleton.
/// </summary>
public interface IStateStatements<TState>
{
    /// <summary>The statements that write the rows. They run after the state's own and before projections; each is prepared, so their texts must be few.</summary>
    /// <param name="grainKey">Key of the grain whose state it is.</param>
    /// <param name="state">The new state; <see langword="null"/> when it is cleared.</param>
    IEnumerable<NpgsqlBatchCommand> Of(string grainKey, TState? state);
}
