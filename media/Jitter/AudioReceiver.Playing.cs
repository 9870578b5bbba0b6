namespace VoiceGrains.Media;

/// <summary>What is played when. All on the taking thread; durations in samples of 48 kHz.</summary>
/// <remarks>
/// While sound plays, a packet that is not there when it is due is concealed, and playing waits for it: one that comes a little late is played a little late
/// (the delay grows by itself) instead of being lost. Once a later packet shows that it is lost, what was concealed counts as its sound.
/// After 100 ms without a packet silence begins, which ends when the next packet has waited for the target delay.
/// </remarks>
public sealed partial class AudioReceiver
{
    private const int Unit = OpusPacket.ClockRateHz / 100;          // 10 ms
    private const int Concealable = 10 * Unit;
    private const int FadeOut = 2 * Unit;
    private const int FadeIn = Unit / 2;
    private readonly OpusDecoder _decoder;
    private readonly SoundBuffer _sound;
    private readonly int _ratio;        // 48 kHz to the output's rate
    private long _now;
    private int _piece = Unit;          // what is taken at a time
    private int _taken;                 // samples of the current piece already given
    private long _position;             // timestamp of the sound to decode next
    private int _concealed;             // made up since the last packet
    private bool _isSilent = true;
    private bool _hasPlayed;

    /// <summary>Makes at least one sample.</summary>
    private void Produce()
    {
        var first = _buffer.First;
        if (_isSilent)
        {
            if (first is null || !MayStart(first))
            {
                WriteSilence();
                return;
            }
            _position = first.Position;
            _concealed = 0;
            PlayFirst();
            return;
        }
        if (first is null)
            Conceal(Unit);
        else
            PlayTowards(first);
    }

    private bool MayStart(ReceivedPacket first) => first.Timeline != _timeline || DelayOf(first.Position) + _taken * _ratio >= _delays.Target;

    private void PlayTowards(ReceivedPacket first)
    {
        var missing = first.Position - _position - _concealed;
        var wasLost = first.Index > _buffer.Next;
        if (missing <= 0 || (!wasLost && missing > JumpWhileSilent))       // the latter: the sender's timestamps jumped, its sound did not
        {
            PlayFirst();
            return;
        }
        var frame = OpusPacket.FrameDuration(first.Bytes.IsEmpty ? (byte)0 : first.Bytes[0]);
        if (!wasLost || !OpusPacket.HasFec(first.Bytes))
            Conceal(missing);
        else if (missing > frame)
            Conceal(missing - frame);
        else
            PlayCopy(first, frame);
    }

    private void PlayFirst()
    {
        var isFresh = _isSilent || _concealed > 0;
        var isComparable = _buffer.First!.Timeline == _timeline;
        if (!TryDecodeFirst())
            Conceal(Unit);
        else if (isComparable)
            FollowDelay(isFresh);
    }

    /// <summary>False: the packet is no Opus.</summary>
    private bool TryDecodeFirst()
    {
        var packet = _buffer.Take(out var lost);
        _lost.Add(lost);
        var pcm = _sound.Reserve(_decoder.MaxSamples);
        var written = _decoder.Decode(packet.Bytes, pcm);
        _free.TryWrite(packet);
        if (written == 0)
        {
            _malformed.Increment();
            return false;
        }
        if (_isSilent)
            Ramp(pcm[..written], 0, 1.0 / (FadeIn / _ratio));
        _sound.Commit(written);
        _position = packet.Position + written * _ratio;
        (_concealed, _isSilent, _hasPlayed) = (0, false, true);
        return true;
    }

    /// <summary>Plays the copy of the lost packet that the next one carries.</summary>
    private void PlayCopy(ReceivedPacket next, int frame)
    {
        var samples = frame / _ratio;
        _decoder.DecodeFec(next.Bytes, _sound.Reserve(samples));
        _sound.Commit(samples);
        _recovered.Increment();
        _position = next.Position;
        _concealed = 0;
    }

    private void Conceal(long duration)
    {
        var samples = (int)Math.Min(Unit, (duration + 119) / 120 * 120) / _ratio;
        var pcm = _sound.Reserve(samples);
        _decoder.Conceal(pcm);
        if (_concealed + samples * _ratio > Concealable)
            Ramp(pcm, 1 - (double)(_concealed - Concealable) / FadeOut, -1.0 / (FadeOut / _ratio));
        _sound.Commit(samples);
        _concealed += samples * _ratio;
        _concealedSamples.Add(samples);
        if (_concealed >= Concealable + FadeOut)
            BeSilent();
    }

    private void WriteSilence()
    {
        var samples = Unit / _ratio;
        _sound.Reserve(samples).Clear();
        _sound.Commit(samples);
        _silentSamples.Add(samples);
    }

    private void BeSilent() => (_isSilent, _concealed) = (true, 0);

    private static void Ramp(Span<short> pcm, double gain, double step)
    {
        for (var i = 0; i < pcm.Length; i++, gain += step)
            pcm[i] = (short)(pcm[i] * Math.Clamp(gain, 0, 1));
    }
}
