using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace VoiceGrains.Media;

/// <summary>
/// A bounded FIFO of samples addressed by their position in the stream, in pooled segments that exist only while they hold sound.
/// What was read is kept until it is forgotten, so that reading can go back. Not thread-safe.
/// </summary>
internal sealed class SampleQueue
{
    private const int SegmentSamples = 4096;
    private short[]?[] _segments;
    private long _kept;     // position of the oldest sample that is still held

    public SampleQueue(int capacity)
    {
        Capacity = capacity;
        KeepRead(0);
    }

    /// <summary>Makes room for so many samples that were read. Only before anything is written.</summary>
    [MemberNotNull(nameof(_segments))]
    public void KeepRead(int samples) => _segments = new short[]?[(Capacity + samples) / SegmentSamples + 2];   // one partly read at the head, one partly written at the tail

    /// <summary>Most samples that wait to be read.</summary>
    public int Capacity { get; }

    /// <summary>Position after the last sample written.</summary>
    public long End { get; private set; }

    /// <summary>Position of the next sample to read.</summary>
    public long Start { get; private set; }

    public int Count => (int)(End - Start);

    /// <summary>Copies as much as fits.</summary>
    /// <returns>Samples taken.</returns>
    public int Write(ReadOnlySpan<short> pcm)
    {
        var total = Math.Min(pcm.Length, Math.Max(0, Capacity - Count));    // after a rewind more than fits can wait
        for (var left = pcm[..total]; !left.IsEmpty;)
        {
            var offset = (int)(End % SegmentSamples);
            var segment = Slot(End) ??= ArrayPool<short>.Shared.Rent(SegmentSamples);
            var part = left[..Math.Min(left.Length, SegmentSamples - offset)];
            part.CopyTo(segment.AsSpan(offset));
            End += part.Length;
            left = left[part.Length..];
        }
        return total;
    }

    /// <summary>The next <paramref name="count"/> samples, in place where they lie together, else copied to <paramref name="scratch"/>.</summary>
    public ReadOnlySpan<short> Peek(int count, Span<short> scratch)
    {
        var offset = (int)(Start % SegmentSamples);
        var first = Slot(Start).AsSpan(offset, Math.Min(count, SegmentSamples - offset));
        if (first.Length == count)
            return first;
        first.CopyTo(scratch);
        Slot(Start + first.Length).AsSpan(0, count - first.Length).CopyTo(scratch[first.Length..]);
        return scratch[..count];
    }

    /// <summary>Goes on behind the next samples, which are kept.</summary>
    public void Skip(int count) => Start += count;

    /// <summary>Goes back to a position that was not forgotten.</summary>
    public void Rewind(long position)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(position, _kept);
        Start = Math.Min(position, Start);
    }

    /// <summary>Lets go of what was read before <paramref name="position"/>.</summary>
    public void Forget(long position)
    {
        position = Math.Min(position, Start);
        if (position <= _kept)
            return;
        for (var i = _kept / SegmentSamples; i < position / SegmentSamples; i++)
            Return(i);
        _kept = position;
    }

    /// <summary>Drops what was written from <paramref name="position"/> on, as far as it was not read.</summary>
    /// <returns>Where the next sample written goes.</returns>
    public long DropFrom(long position)
    {
        position = Math.Max(position, Start);
        if (position >= End)
            return End;
        for (var i = position / SegmentSamples + 1; i <= End / SegmentSamples; i++)
            Return(i);
        return End = position;
    }

    /// <summary>Forgets all, also what was not read: the next sample written takes the position of the next one that would have been read.</summary>
    public void DropUnread()
    {
        for (var i = _kept / SegmentSamples; i <= End / SegmentSamples; i++)
            Return(i);
        End = _kept = Start;
    }

    private ref short[]? Slot(long position) => ref _segments[position / SegmentSamples % _segments.Length];

    private void Return(long index)
    {
        ref var segment = ref _segments[index % _segments.Length];
        if (segment is null)
            return;
        ArrayPool<short>.Shared.Return(segment);
        segment = null;
    }
}
