using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Where a live call writes its messages and events. Writing never waits for the database: entries go through one bounded buffer per silo
/// and are inserted in batches, in order. While the database is away the buffer holds them; when it is full, events below warning go first.
/// </summary>
public interface ICallJournal
{
    /// <summary>Adds a message, or replaces the one of the same stage and index (an agent's message grows and may be cut short).</summary>
    /// <param name="generation">Which conversation of the call writes. Once a later one has begun, nothing more of an earlier one is stored.</param>
    /// <param name="isInitial">It is part of the history that its stage began with, so that nothing is said of it twice.</param>
    void Write(string callId, int generation, Message message, bool isInitial = false);

    /// <inheritdoc cref="Write(string, int, Message, bool)"/>
    void Write(int generation, CallEvent callEvent);

    /// <summary>Keeps the first and the latest count of a stage's tokens.</summary>
    void Write(string callId, int generation, StageTokens tokens);

    /// <summary>Completes when everything written for the call before is stored.</summary>
    Task FlushAsync(string callId, CancellationToken cancellationToken);
}

/// <summary>How long a stage's prompt was in a model request.</summary>
public readonly record struct StageTokens(string CallStageId, int Count);
