namespace VoiceGrains.Gateway.Unserved;

/// <summary>Marks an end point that only says that this version does not serve it.</summary>
/// <param name="Feature">What is missing, as a sentence begins.</param>
internal sealed record UnservedOperation(string Feature);
