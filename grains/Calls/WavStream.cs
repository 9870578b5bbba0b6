namespace VoiceGrains.Grains.Calls;

/// <summary>A WAV that is made while it is read: readable and seekable, a header and then sound.</summary>
/// <param name="header">All bytes before the sound.</param>
/// <param name="soundBytes">Length of the sound.</param>
internal abstract class WavStream(byte[] header, long soundBytes) : Stream
{
    private long _position;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => header.Length + soundBytes;

    protected long SoundBytes => soundBytes;

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
        var read = _position < header.Length ? ReadHeader(buffer) : ReadSound(_position - header.Length, buffer);
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

    /// <summary>Reads at least one byte.</summary>
    /// <param name="at">Bytes behind the header; may lie within a sample, as a range of a request may.</param>
    /// <param name="buffer">Gets what follows there; not empty.</param>
    protected abstract int ReadSound(long at, Span<byte> buffer);

    private int ReadHeader(Span<byte> buffer)
    {
        var rest = header.AsSpan((int)_position);
        var length = Math.Min(rest.Length, buffer.Length);
        rest[..length].CopyTo(buffer);
        return length;
    }
}
