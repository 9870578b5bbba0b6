using System.Buffers.Binary;

namespace VoiceGrains.Media;

/// <summary>The bytes before the samples of a WAV file of 16-bit PCM (RIFF, Microsoft's <c>WAVEFORMAT</c>).</summary>
public static class PcmWavHeader
{
    /// <summary>Bytes.</summary>
    public const int Length = 44;

    /// <param name="header">Gets <see cref="Length"/> bytes.</param>
    /// <param name="dataBytes">Bytes of samples; from 4 GiB on, the sizes are those of an endless file (all ones).</param>
    /// <param name="sampleRateHz">Samples per second and channel.</param>
    /// <param name="channels">Interleaved channels.</param>
    public static void Write(Span<byte> header, long dataBytes, int sampleRateHz, int channels)
    {
        var blockAlign = (ushort)(channels * sizeof(short));
        "RIFF"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)Math.Min(uint.MaxValue, dataBytes + Length - 8));
        "WAVEfmt "u8.CopyTo(header[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], 16);
        BinaryPrimitives.WriteUInt16LittleEndian(header[20..], 1);      // PCM
        BinaryPrimitives.WriteUInt16LittleEndian(header[22..], (ushort)channels);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], (uint)sampleRateHz);
        BinaryPrimitives.WriteUInt32LittleEndian(header[28..], (uint)(sampleRateHz * blockAlign));
        BinaryPrimitives.WriteUInt16LittleEndian(header[32..], blockAlign);
        BinaryPrimitives.WriteUInt16LittleEndian(header[34..], 16);
        "data"u8.CopyTo(header[36..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[40..], (uint)Math.Min(uint.MaxValue, dataBytes));
    }
}
