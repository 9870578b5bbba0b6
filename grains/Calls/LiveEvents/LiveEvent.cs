using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.LiveEvents;

/// <summary>Something that has just happened in a call, for those who watch it. Immutable, and JSON carries it between processes.</summary>
/// <param name="CallId">Whose stream it is on.</param>
/// <param name="Time">When it was said, by the silo's clock.</param>
[JsonPolymorphic]
[JsonDerivedType(typeof(LiveTranscript), "transcript")]
[JsonDerivedType(typeof(LiveState), "state")]
[JsonDerivedType(typeof(LiveCallEvent), "call_event")]
[JsonDerivedType(typeof(LiveCallEnded), "call_ended")]
[JsonDerivedType(typeof(LiveGap), "gap")]
public abstract record LiveEvent(string CallId, DateTimeOffset Time);

/// <summary>What a side says: exactly one of <paramref name="Text"/> and <paramref name="Delta"/> is set.</summary>
/// <param name="Text">The whole utterance so far; replaces what came before.</param>
/// <param name="Delta">What is added to the utterance.</param>
/// <param name="Final">Whether it is the last word on the utterance.</param>
/// <param name="Ordinal">Names the utterance, counted over both sides.</param>
public sealed record LiveTranscript(
    string CallId, DateTimeOffset Time, MessageRole Role, MessageMedium Medium, string? Text, string? Delta, bool Final, int Ordinal) : LiveEvent(CallId, Time);

/// <param name="State">As data messages name it: <c>idle</c>, <c>listening</c>, <c>thinking</c> or <c>speaking</c>.</param>
public sealed record LiveState(string CallId, DateTimeOffset Time, string State) : LiveEvent(CallId, Time);

/// <summary>A new entry of the call's event log.</summary>
/// <param name="Extras">A JSON object as text, since a <c>JsonObject</c> must not be shared; null when there are none.</param>
public sealed record LiveCallEvent(
    string CallId, DateTimeOffset Time, string CallStageId, TimeSpan CallTimestamp, TimeSpan? WallClockTimestamp, Severity Severity, string Type, string Text,
    string? Extras) : LiveEvent(CallId, Time);

/// <summary>The last event of a call.</summary>
public sealed record LiveCallEnded(string CallId, DateTimeOffset Time, EndReason Reason) : LiveEvent(CallId, Time);

/// <summary>Events between the one before and the one after are missing: somebody was too slow, or they were lost on the way.</summary>
/// <param name="Dropped">How many are known of.</param>
/// <param name="AtLeast">There may be more: what a lost process had last to say is not known.</param>
public sealed record LiveGap(string CallId, DateTimeOffset Time, long Dropped, bool AtLeast = false) : LiveEvent(CallId, Time);
