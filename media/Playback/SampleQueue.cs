using System.Buffers;

namespace VoiceGrains.Media;

/// <summary>
/// A bounded FIFO of samples addressed by their position in the stream, in pooled segments that exist only while they hold sound.
/// Not thread-safe.
/// </summary>
internal sealed class SampleQueue
{
    private const int SegmentSamples = 4096;
    private readonly short[]?[] _segments;

    public SampleQueue(int capacity)
    {
        Capacity = capacity;
        _segments = new short[]?[capacity / SegmentSamples + 2];   // one partly read at the head, one partly written at the tail
    }

    /// <summary>Most samples held.</summary>
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
        var total = Math.Min(pcm.Length, Capacity - Count);
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

    /// <summary>Removes samples from the front.</summary>
    public void Skip(int count)
    {
        var next = Start + count;
        for (var i = Start / SegmentSamples; i < next / SegmentSamples; i++)
            Return(i);
        Start = next;
    }

    /// <summary>Forgets what was not read: the next sample written takes the position of the next one that would have been read.</summary>
    public void DropUnread()
    {
        for (var i = Start / SegmentSamples; i <= End / SegmentSamples; i++)
            Return(i);
        End = Start;
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
