using System.Buffers;

namespace VoiceGrains.Media;

/// <summary>
/// A window of a two-channel recording, addressed by sample position: written anywhere in it, read from its front. Pooled chunks exist only
/// where there is sound. Not thread-safe.
/// </summary>
internal sealed class StereoTimeline(int capacity)
{
    public const int ChunkFrames = 4096;
    private readonly short[]?[] _chunks = new short[]?[capacity / ChunkFrames + 2];

    /// <summary>Everything before this position was read and cannot change.</summary>
    public long Start { get; private set; }

    /// <summary>Where writing must stop.</summary>
    public long Limit => Start + capacity;

    /// <summary>Writes one channel (0 left, 1 right). What lies outside of the window is left out.</summary>
    /// <returns>Samples left out after the window's end.</returns>
    public int Write(ReadOnlySpan<short> pcm, long position, int channel)
    {
        if (position < Start)
        {
            pcm = pcm[(int)Math.Min(pcm.Length, Start - position)..];
            position = Start;
        }
        var excess = (int)Math.Clamp(position + pcm.Length - Limit, 0, pcm.Length);
        pcm = pcm[..^excess];
        while (!pcm.IsEmpty)
        {
            var offset = (int)(position % ChunkFrames);
            var part = pcm[..Math.Min(pcm.Length, ChunkFrames - offset)];
            var target = (Slot(position) ??= Rent()).AsSpan(2 * offset);
            for (var i = 0; i < part.Length; i++)
                target[2 * i + channel] = part[i];
            position += part.Length;
            pcm = pcm[part.Length..];
        }
        return excess;
    }

    /// <summary>Silences one channel between two positions.</summary>
    public void Clear(long from, long to, int channel)
    {
        from = Math.Max(from, Start);
        to = Math.Min(to, Limit);
        while (from < to)
        {
            var offset = (int)(from % ChunkFrames);
            var count = (int)Math.Min(to - from, ChunkFrames - offset);
            if (Slot(from) is { } chunk)
            {
                for (var i = offset; i < offset + count; i++)
                    chunk[2 * i + channel] = 0;
            }
            from += count;
        }
    }

    /// <summary>Moves up to a chunk of frames before <paramref name="end"/> out of the window, interleaved.</summary>
    /// <returns>Frames read; 0 when the window starts at <paramref name="end"/>.</returns>
    public int Read(long end, Span<short> interleaved)
    {
        var offset = (int)(Start % ChunkFrames);
        var count = (int)Math.Clamp(end - Start, 0, Math.Min(ChunkFrames - offset, interleaved.Length / 2));
        ref var chunk = ref Slot(Start);
        if (chunk is null)
            interleaved[..(2 * count)].Clear();
        else
            chunk.AsSpan(2 * offset, 2 * count).CopyTo(interleaved);
        Start += count;
        if (chunk is not null && offset + count == ChunkFrames)
        {
            ArrayPool<short>.Shared.Return(chunk);
            chunk = null;
        }
        return count;
    }

    private ref short[]? Slot(long position) => ref _chunks[position / ChunkFrames % _chunks.Length];

    private static short[] Rent()
    {
        var chunk = ArrayPool<short>.Shared.Rent(2 * ChunkFrames);
        chunk.AsSpan().Clear();
        return chunk;
    }
}
