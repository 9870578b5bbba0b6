using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls;

/// <summary>A call's recording as one WAV, whatever number of conversations recorded it: each where it was, silence between them.</summary>
public static class CallRecording
{
    private const int Channels = 2;
    private const int FrameBytes = Channels * sizeof(short);
    private const int BytesPerSecond = LiveCallHost.RecordingRateHz * FrameBytes;

    /// <summary>A readable and seekable stream of what is written so far; null when nothing is.</summary>
    public static Stream? Open(IBlobStore blobs, CallSnapshot call)
    {
        var callId = call.Settings.CallId;
        if (call.RecordingParts.Count <= 1) return blobs.OpenRead(CallBlobs.Recording(callId));
        var pieces = new List<RecordingPiece>();
        foreach (var part in call.RecordingParts)
        {
            if (blobs.OpenRead(CallBlobs.Recording(callId, part.Generation)) is not { } blob) continue;
            if (blob.Length <= PcmWavHeader.Length) blob.Dispose();
            else pieces.Add(new RecordingPiece(blob, PcmWavHeader.Length, (long)(part.Start.TotalSeconds * BytesPerSecond) / FrameBytes * FrameBytes));
        }
        return pieces.Count == 0 ? null : new JoinedRecording(Header(pieces), pieces);
    }

    private static byte[] Header(List<RecordingPiece> pieces)
    {
        var header = new byte[PcmWavHeader.Length];
        PcmWavHeader.Write(header, pieces[^1].Start + pieces[^1].Length, LiveCallHost.RecordingRateHz, Channels);
        return header;
    }
}
