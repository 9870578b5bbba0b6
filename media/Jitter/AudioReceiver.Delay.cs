namespace VoiceGrains.Media;

/// <summary>
/// Keeps the delay at its target by taking out or putting in pitch periods, which also makes up for clocks that drift apart: 200 ppm are one period in half
/// a minute. On the taking thread.
/// </summary>
public sealed partial class AudioReceiver
{
    private const int TooMuch = 15 * OpusPacket.ClockRateHz / 1000;     // more than one period, so that taking one out does not call for putting one in
    private const int TooLittle = -OpusPacket.ClockRateHz / 400;          // there packets begin to come late
    private const int Inaudible = OpusPacket.ClockRateHz / 200;         // 5 ms too much are taken out wherever it is quiet
    private const int FarTooMuch = 80 * OpusPacket.ClockRateHz / 1000;
    private const int Pause = OpusPacket.ClockRateHz / 10;              // between two stretches
    private const double Smoothing = 1.0 / OpusPacket.ClockRateHz;      // over a second
    private double _delay;
    private int _sinceStretch;

    /// <summary>After a packet was decoded: updates the delay, and stretches if it must.</summary>
    /// <param name="isFresh">Sound begins or was interrupted: what the delay was before means nothing.</param>
    private void FollowDelay(bool isFresh)
    {
        // The next sample to be given belongs to the moment that the current piece has come to.
        var current = DelayOf(_position - (long)_sound.Count * _ratio) + _taken * _ratio;
        if (isFresh)
            _delay = current;
        else
            _delay += (current - _delay) * Math.Min(1, _sound.Count * _ratio * Smoothing);
        var excess = _delay - _delays.Target;
        if (_sinceStretch < Pause && excess < FarTooMuch)
            return;
        if (excess > TooMuch || (excess > Inaudible && _sound.IsQuiet))
            Shorten(excess);
        else if (excess < TooLittle)
            Lengthen(-excess);
    }

    private void Shorten(double excess)
    {
        // Too much delay means that more packets wait: short ones are decoded ahead until a period fits.
        while (_sound.Count < _sound.ShortenNeeds && _buffer.First is { } next && next.Index == _buffer.Next && next.Position == _position && TryDecodeFirst())
        {
        }
        var removed = _sound.TryShorten((int)excess / _ratio, Alike(excess / TooMuch));
        if (removed == 0)
            return;
        _removed.Add(removed);
        _delay -= removed * _ratio;
        _sinceStretch = 0;
    }

    private void Lengthen(double lack)
    {
        var inserted = _sound.TryLengthen((int)lack / _ratio, Alike(lack / -TooLittle));
        if (inserted == 0)
            return;
        _inserted.Add(inserted);
        _delay += inserted * _ratio;
        _sinceStretch = 0;
    }

    /// <summary>How alike the waves must be: first a place is sought where nobody can hear it, but in noise there is none.</summary>
    private static double Alike(double urgency) => urgency switch
    {
        < 2 => 0.9,
        < 3 => 0.6,
        _ => -1,
    };
}
