namespace VoiceGrains.Grains.Calls;

/// <summary>Names of a call's blobs.</summary>
public static class CallBlobs
{
    public static string Recording(string callId) => $"recordings/{callId}.wav";
}
