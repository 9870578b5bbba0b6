using System.Buffers;
using System.Buffers.Binary;

namespace VoiceGrains.Grains.Calls;

/// <summary>One channel of a part of a stereo recording, as a mono WAV; read from the recording as it is asked for.</summary>
/// <param name="recording">16-bit stereo, a header of 44 bytes before it; disposed of with this.</param>
/// <param name="channel">0 or 1.</param>
/// <param name="first">The part's first sample.</param>
/// <param name="count">Samples; all of them are in the recording.</param>
internal sealed class ChannelClip(Stream recording, int channel, long first, long count) : Stream
{
    private const int HeaderBytes = 44;
    private const int StereoFrame = 4;
    private const int SamplesPerRead = 4_096;
    private readonly byte[] _header = Header(count);
    private long _position;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => HeaderBytes + count * sizeof(short);

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (_position >= Length || buffer.IsEmpty) return 0;
        var read = _position < HeaderBytes ? ReadHeader(buffer) : ReadSound(_position - HeaderBytes, buffer);
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin)
        => Position = offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => _position, _ => Length };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) recording.Dispose();
        base.Dispose(disposing);
    }

    private int ReadHeader(Span<byte> buffer)
    {
        var rest = _header.AsSpan((int)_position);
        var length = Math.Min(rest.Length, buffer.Length);
        rest[..length].CopyTo(buffer);
        return length;
    }

    /// <param name="at">Bytes behind the header; may lie within a sample, as a range of a request may.</param>
    /// <param name="buffer">Gets what follows there.</param>
    private int ReadSound(long at, Span<byte> buffer)
    {
        var (sample, skip) = Math.DivRem(at, sizeof(short));
        var samples = (int)Math.Min(Math.Min(count - sample, SamplesPerRead), (buffer.Length + skip + 1) / sizeof(short));
        var stereo = ArrayPool<byte>.Shared.Rent(samples * StereoFrame);
        try
        {
            recording.Position = HeaderBytes + (first + sample) * StereoFrame;
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
        var header = new byte[HeaderBytes];
        var data = (uint)Math.Min(uint.MaxValue - HeaderBytes, samples * sizeof(short));
        "RIFF"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), data + HeaderBytes - 8);
        "WAVEfmt "u8.CopyTo(header.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(20), 1);      // PCM
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(22), 1);      // mono
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(24), LiveCallHost.RecordingRateHz);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(28), LiveCallHost.RecordingRateHz * sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(32), sizeof(short));
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(34), 16);
        "data"u8.CopyTo(header.AsSpan(36));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(40), data);
        return header;
    }
}
