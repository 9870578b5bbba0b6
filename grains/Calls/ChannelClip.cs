using System.Buffers;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls;

/// <summary>One channel of a part of a stereo recording, as a mono WAV; read from the recording as it is asked for.</summary>
/// <param name="recording">16-bit stereo, a header of <see cref="PcmWavHeader.Length"/> bytes before it; disposed of with this.</param>
/// <param name="channel">0 or 1.</param>
/// <param name="first">The part's first sample.</param>
/// <param name="count">Samples; all of them are in the recording.</param>
internal sealed class ChannelClip(Stream recording, int channel, long first, long count) : WavStream(Header(count), count * sizeof(short))
{
    private const int StereoFrame = 4;
    private const int SamplesPerRead = 4_096;

    protected override void Dispose(bool disposing)
    {
        if (disposing) recording.Dispose();
        base.Dispose(disposing);
    }

    protected override int ReadSound(long at, Span<byte> buffer)
    {
        var (sample, skip) = Math.DivRem(at, sizeof(short));
        var samples = (int)Math.Min(Math.Min(count - sample, SamplesPerRead), (buffer.Length + skip + 1) / sizeof(short));
        var stereo = ArrayPool<byte>.Shared.Rent(samples * StereoFrame);
        try
        {
            recording.Position = PcmWavHeader.Length + (first + sample) * StereoFrame;
            recording.ReadExactly(stereo, 0, samples * StereoFrame);
            var length = (int)Math.Min(buffer.Length, samples * sizeof(short) - skip);
            for (var i = 0; i < length; i++)
            {
                var (frame, half) = Math.DivRem(i + (int)skip, sizeof(short));
                buffer[i] = stereo[frame * StereoFrame + channel * sizeof(short) + half];
            }
            return length;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stereo);
        }
    }

    private static byte[] Header(long samples)
    {
        var header = new byte[PcmWavHeader.Length];
        PcmWavHeader.Write(header, samples * sizeof(short), LiveCallHost.RecordingRateHz, channels: 1);
        return header;
    }
}
