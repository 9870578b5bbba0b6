namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>What one conversation of a call recorded.</summary>
/// <param name="Generation">Which conversation, from 1.</param>
/// <param name="Start">Since the join.</param>
public sealed record RecordingPart(int Generation, TimeSpan Start);
