using System.Buffers.Binary;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Calls;

/// <summary>A call's recording as one WAV, whatever number of conversations recorded it: each where it was, silence between them.</summary>
public static class CallRecording
{
    private const int HeaderBytes = 44;
    private const int RiffSizeOffset = 4;
    private const int DataSizeOffset = 40;
    private const int BytesPerSecond = LiveCallHost.RecordingRateHz * FrameBytes;

    /// <summary>Two channels of 16 bits.</summary>
    private const int FrameBytes = 4;

    /// <summary>A readable and seekable stream of what is written so far; null when nothing is.</summary>
    public static Stream? Open(IBlobStore blobs, CallSnapshot call)
    {
        var callId = call.Settings.CallId;
        if (call.RecordingParts.Count <= 1) return blobs.OpenRead(CallBlobs.Recording(callId));
        var pieces = new List<RecordingPiece>();
        foreach (var part in call.RecordingParts)
        {
            if (blobs.OpenRead(CallBlobs.Recording(callId, part.Generation)) is not { } blob) continue;
            if (blob.Length <= HeaderBytes) blob.Dispose();
            else pieces.Add(new RecordingPiece(blob, HeaderBytes, (long)(part.Start.TotalSeconds * BytesPerSecond) / FrameBytes * FrameBytes));
        }
        return pieces.Count == 0 ? null : new JoinedRecording(Header(pieces), pieces);
    }

    private static byte[] Header(List<RecordingPiece> pieces)
    {
        var header = new byte[HeaderBytes];
        pieces[0].Blob.ReadExactly(header);
        var data = pieces[^1].Start + pieces[^1].Length;
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(RiffSizeOffset), (uint)Math.Min(uint.MaxValue, data + HeaderBytes - 8));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(DataSizeOffset), (uint)Math.Min(uint.MaxValue, data));
        return header;
    }
}
