namespace VoiceGrains.Grains.Calls;

/// <summary>The sound of one conversation.</summary>
/// <param name="Blob">A WAV.</param>
/// <param name="Skip">Bytes of its header.</param>
/// <param name="Start">Where its sound begins in the joined sound, in bytes.</param>
internal sealed record RecordingPiece(Stream Blob, int Skip, long Start)
{
    /// <summary>As it was when the blob was opened: a live one grows.</summary>
    public long Length { get; } = Blob.Length - Skip;
}

/// <summary>Reads pieces as one. A piece that reaches into the next one is cut there: what an older conversation recorded after that, nobody heard.</summary>
internal sealed class JoinedRecording(byte[] header, IReadOnlyList<RecordingPiece> pieces) : Stream
{
    private long _position;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length { get; } = header.Length + pieces[^1].Start + pieces[^1].Length;

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

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var piece in pieces) piece.Blob.Dispose();
        }
        base.Dispose(disposing);
    }

    private int ReadHeader(Span<byte> buffer)
    {
        var rest = header.AsSpan((int)_position);
        var count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        return count;
    }

    private int ReadSound(long at, Span<byte> buffer)
    {
        var current = -1;
        while (current + 1 < pieces.Count && pieces[current + 1].Start <= at) current++;
        var end = current + 1 < pieces.Count ? pieces[current + 1].Start : Length - header.Length;
        if (current >= 0 && at < pieces[current].Start + pieces[current].Length)
        {
            var piece = pieces[current];
            piece.Blob.Position = piece.Skip + at - piece.Start;
            return piece.Blob.Read(Cut(buffer, Math.Min(end, piece.Start + piece.Length) - at));
        }
        buffer = Cut(buffer, end - at);
        buffer.Clear();
        return buffer.Length;
    }

    private static Span<byte> Cut(Span<byte> buffer, long most) => most < buffer.Length ? buffer[..(int)most] : buffer;
}
