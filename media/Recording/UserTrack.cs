namespace VoiceGrains.Media;

/// <summary>Puts what a user says into a <see cref="StereoSound"/> of any rate, as it arrives. Not thread-safe.</summary>
/// <param name="sound">Gets it; stays the caller's.</param>
/// <param name="sampleRateHz">The user's rate.</param>
public sealed class UserTrack(StereoSound sound, int sampleRateHz) : IDisposable
{
    private readonly Resampler _resampler = new(sampleRateHz, sound.SampleRateHz);
    private readonly int _part = sampleRateHz / 5;      // of a long message, so that the buffer stays small
    private short[] _buffer = [];

    /// <summary>As it arrived, any length.</summary>
    public void Write(ReadOnlySpan<short> pcm)
    {
        while (!pcm.IsEmpty)
        {
            var part = pcm[..Math.Min(pcm.Length, _part)];
            pcm = pcm[part.Length..];
            var room = _resampler.MaxOutput(part.Length);
            if (_buffer.Length < room)
                _buffer = new short[room];
            sound.WriteUser(_buffer.AsSpan(0, _resampler.Process(part, _buffer)));
        }
    }

    public void Dispose() => _resampler.Dispose();
}
