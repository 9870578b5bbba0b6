using VoiceGrains.Media;

namespace VoiceGrains.Providers.Audio;

/// <summary>Writes a mono 16-bit PCM WAV file (RIFF, Microsoft's <c>WAVEFORMAT</c>) into memory, for requests that carry one.</summary>
internal static class Wav
{
    public static byte[] Encode(ReadOnlySpan<short> pcm, int sampleRateHz)
    {
        var file = new byte[PcmWavHeader.Length + pcm.Length * sizeof(short)];
        PcmWavHeader.Write(file, pcm.Length * sizeof(short), sampleRateHz, channels: 1);
        Pcm.ToBytes(pcm, file.AsSpan(PcmWavHeader.Length));
        return file;
    }
}
