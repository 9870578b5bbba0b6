using System.Runtime.InteropServices;

namespace VoiceGrains.Cli.Audio;

/// <summary>One side of a call on the call's clock: silence except where something was written. Positions are samples since the start. Not thread-safe.</summary>
internal sealed class Track
{
    private readonly List<short> samples = [];

    public int Length => samples.Count;

    public ReadOnlySpan<short> Samples => CollectionsMarshal.AsSpan(samples);

    /// <summary>Writes at the end, after silence up to <paramref name="position"/> where the end is before it.</summary>
    public void Append(int position, ReadOnlySpan<short> pcm)
    {
        var end = samples.Count;
        if (position > end)
        {
            CollectionsMarshal.SetCount(samples, position);
            CollectionsMarshal.AsSpan(samples)[end..].Clear();
        }
        samples.AddRange(pcm);
    }

    /// <summary>Takes back what lies beyond a position.</summary>
    public void Truncate(int position)
    {
        if (position < samples.Count)
            samples.RemoveRange(position, samples.Count - position);
    }
}
