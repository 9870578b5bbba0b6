namespace VoiceGrains.Media;

/// <summary>
/// Loudness along a stream: one factor up to a position, another one after it, linear in between. It depends on the position alone, so that sound
/// that is sent again is as loud as it was. Not thread-safe.
/// </summary>
internal struct GainRamp()
{
    private long _start;
    private long _length;
    private float _from = 1;

    /// <summary>The factor after the ramp.</summary>
    public float Target { get; private set; } = 1;

    /// <summary>Position after the ramp's last sample.</summary>
    public readonly long End => _start + _length;

    public void Begin(float target, long position, long samples) => (_from, _start, _length, Target) = (At(position), position, samples, target);

    /// <summary>Whether sound from <paramref name="position"/> on stays as it is.</summary>
    public readonly bool IsNeutral(long position) => Target == 1 && position >= End;

    /// <summary>Copies <paramref name="pcm"/>, which begins at <paramref name="position"/>, with the loudness of its place.</summary>
    public readonly ReadOnlySpan<short> Apply(ReadOnlySpan<short> pcm, Span<short> copy, long position)
    {
        for (var i = 0; i < pcm.Length; i++)
            copy[i] = Pcm.Saturate(pcm[i] * At(position + i));
        return copy[..pcm.Length];
    }

    private readonly float At(long position) => position >= End ? Target : position <= _start ? _from : _from + (Target - _from) * (position - _start) / _length;
}
