namespace VoiceGrains.Grains.Calls;

/// <summary>Names of a call's blobs.</summary>
public static class CallBlobs
{
    /// <summary>What one conversation of a call recorded; most calls have one.</summary>
    /// <param name="generation">Which conversation, from 1.</param>
    public static string Recording(string callId, int generation = 1) => generation <= 1 ? $"recordings/{callId}.wav" : $"recordings/{callId}.{generation}.wav";
}
