namespace VoiceGrains.Grains.Calls;

/// <summary>One conversation of a call. Most calls have one; each resumption begins another.</summary>
/// <param name="Generation">Counts from 1; what an older generation wants to store is refused once there is a newer one.</param>
public readonly record struct CallRun(string CallId, int Generation);
