namespace VoiceGrains.Media;

/// <summary>
/// Cuts a stream of any span sizes into frames of one size. Not thread-safe.
/// <code>while (frames.TryPush(ref pcm, out var frame)) Use(frame);</code>
/// </summary>
public sealed class FrameAccumulator
{
    private readonly short[] _frame;

    /// <param name="frameSamples">Samples per frame, at least 1.</param>
    public FrameAccumulator(int frameSamples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameSamples, 1);
        _frame = new short[frameSamples];
    }

    /// <summary>Samples per frame.</summary>
    public int FrameSamples => _frame.Length;

    /// <summary>Samples that wait for the rest of their frame.</summary>
    public int Pending { get; private set; }

    /// <summary>
    /// Takes samples off the front of <paramref name="pcm"/> until a frame is whole or nothing is left.
    /// <paramref name="frame"/> is valid until the next call, and may point into the caller's own span.
    /// </summary>
    /// <returns>Whether <paramref name="frame"/> is whole. False means that all of <paramref name="pcm"/> was taken.</returns>
    public bool TryPush(ref ReadOnlySpan<short> pcm, out ReadOnlySpan<short> frame)
    {
        if (Pending == 0 && pcm.Length >= _frame.Length)
        {
            frame = pcm[.._frame.Length];
            pcm = pcm[_frame.Length..];
            return true;
        }

        var take = Math.Min(_frame.Length - Pending, pcm.Length);
        pcm[..take].CopyTo(_frame.AsSpan(Pending));
        pcm = pcm[take..];
        Pending += take;
        if (Pending < _frame.Length)
        {
            frame = default;
            return false;
        }
        Pending = 0;
        frame = _frame;
        return true;
    }

    /// <summary>Fills the pending part up with silence to a last frame. False when nothing is pending.</summary>
    public bool TryFlush(out ReadOnlySpan<short> frame)
    {
        frame = default;
        if (Pending == 0)
            return false;
        _frame.AsSpan(Pending).Clear();
        Pending = 0;
        frame = _frame;
        return true;
    }

    /// <summary>Forgets the pending samples.</summary>
    public void Reset() => Pending = 0;
}
