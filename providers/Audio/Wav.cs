using System.Buffers.Binary;
using VoiceGrains.Media;

namespace VoiceGrains.Providers.Audio;

/// <summary>Writes a mono 16-bit PCM WAV file (RIFF, Microsoft's <c>WAVEFORMAT</c>) into memory, for requests that carry one.</summary>
internal static class Wav
{
    public const int HeaderLength = 44;

    public static byte[] Encode(ReadOnlySpan<short> pcm, int sampleRateHz)
    {
        var file = new byte[HeaderLength + pcm.Length * sizeof(short)];
        WriteHeader(file, pcm.Length, sampleRateHz);
        Pcm.ToBytes(pcm, file.AsSpan(HeaderLength));
        return file;
    }

    private static void WriteHeader(Span<byte> header, int samples, int sampleRateHz)
    {
        var dataLength = samples * sizeof(short);
        "RIFF"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], HeaderLength - 8 + dataLength);
        "WAVEfmt "u8.CopyTo(header[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], 16);
        BinaryPrimitives.WriteInt16LittleEndian(header[20..], 1);      // PCM
        BinaryPrimitives.WriteInt16LittleEndian(header[22..], 1);      // mono
        BinaryPrimitives.WriteInt32LittleEndian(header[24..], sampleRateHz);
        BinaryPrimitives.WriteInt32LittleEndian(header[28..], sampleRateHz * sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(header[32..], sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(header[34..], 16);
        "data"u8.CopyTo(header[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], dataLength);
    }
}
