using System.Numerics;

namespace VoiceGrains.Media;

/// <summary>A bounded FIFO of samples from one writing thread to one reading thread, without a lock. Any thread may clear it.</summary>
internal sealed class SampleRing
{
    private readonly short[] _samples;
    private readonly int _capacity;
    private long _written;
    private long _read;
    private long _cleared;      // what was written before this is not to be read

    /// <param name="capacity">Most samples that wait to be read.</param>
    public SampleRing(int capacity)
    {
        _capacity = capacity;
        _samples = new short[BitOperations.RoundUpToPowerOf2((uint)capacity)];
    }

    /// <summary>Samples that wait to be read.</summary>
    public int Count => (int)Math.Max(0, Volatile.Read(ref _written) - Math.Max(Volatile.Read(ref _read), Volatile.Read(ref _cleared)));

    /// <summary>Copies all or nothing. False: they do not fit. What was cleared takes its room until the next read.</summary>
    public bool TryWrite(ReadOnlySpan<short> pcm)
    {
        if (_written + pcm.Length - Volatile.Read(ref _read) > _capacity)
            return false;
        var at = (int)(_written & (_samples.Length - 1));
        var first = pcm[..Math.Min(pcm.Length, _samples.Length - at)];
        first.CopyTo(_samples.AsSpan(at));
        pcm[first.Length..].CopyTo(_samples);
        Volatile.Write(ref _written, _written + pcm.Length);
        return true;
    }

    /// <summary>Reads as much as there is.</summary>
    /// <returns>Samples read.</returns>
    public int Read(Span<short> pcm)
    {
        var from = Math.Max(_read, Volatile.Read(ref _cleared));
        var count = (int)Math.Min(pcm.Length, Volatile.Read(ref _written) - from);
        var at = (int)(from & (_samples.Length - 1));
        var first = _samples.AsSpan(at, Math.Min(count, _samples.Length - at));
        first.CopyTo(pcm);
        _samples.AsSpan(0, count - first.Length).CopyTo(pcm[first.Length..]);
        Volatile.Write(ref _read, from + count);
        return count;
    }

    /// <summary>Drops what was written so far and not read. A read that has begun may still return some of it.</summary>
    public void Clear()
    {
        var written = Volatile.Read(ref _written);
        for (var seen = Volatile.Read(ref _cleared); seen < written;)
        {
            var found = Interlocked.CompareExchange(ref _cleared, written, seen);
            if (found == seen)
                return;
            seen = found;
        }
    }
}
