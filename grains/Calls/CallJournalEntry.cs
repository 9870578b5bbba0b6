using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>One thing to store: a message, an event or a count of tokens.</summary>
/// <param name="Sequence">Counts everything written to the journal of this silo, from 1.</param>
/// <param name="Generation">Which conversation of the call wrote it.</param>
/// <param name="Message">Set for messages.</param>
/// <param name="Event">Set for events.</param>
internal sealed record CallJournalEntry(long Sequence, string CallId, int Generation, Message? Message, CallEvent? Event)
{
    /// <summary>The message is one that its stage began with.</summary>
    public bool IsInitial { get; init; }

    /// <summary>Set for counts of tokens.</summary>
    public StageTokens? Tokens { get; init; }

    /// <summary>The first to go when room is needed.</summary>
    public bool IsMinor => Tokens is not null || Event is { Severity: < Severity.Warning };

    /// <summary>Characters held, about.</summary>
    public long Size => 200 + (Message is { } message
        ? (message.Text?.Length ?? 0) + (message.ErrorDetails?.Length ?? 0)
        : Event?.Text.Length ?? 0);
}
