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
internal sealed class JoinedRecording(byte[] header, IReadOnlyList<RecordingPiece> pieces) : WavStream(header, pieces[^1].Start + pieces[^1].Length)
{
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var piece in pieces) piece.Blob.Dispose();
        }
        base.Dispose(disposing);
    }

    protected override int ReadSound(long at, Span<byte> buffer)
    {
        var current = -1;
        while (current + 1 < pieces.Count && pieces[current + 1].Start <= at) current++;
        var end = current + 1 < pieces.Count ? pieces[current + 1].Start : SoundBytes;
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
