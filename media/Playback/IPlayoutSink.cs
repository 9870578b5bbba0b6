namespace VoiceGrains.Media;

/// <summary>
/// Where a <see cref="Playout"/> sends audio and what it reports. One call at a time, from <see cref="Playout.Tick"/>, or from
/// <see cref="Playout.Clear(long)"/> for what was played since the last tick. Must be quick, and must not call back into the playout.
/// </summary>
public interface IPlayoutSink
{
    /// <summary>Sends one frame of up to 20 ms.</summary>
    /// <param name="pcm">Valid only during the call.</param>
    /// <param name="playSamplePosition">
    /// When the far end will play the first sample, in samples since <see cref="Playout.OriginTimestamp"/>. Consecutive while playback does not stall.
    /// </param>
    /// <returns>False: not taken. The same samples are offered again at the next tick.</returns>
    bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition);

    /// <summary>The far end began to play the utterance.</summary>
    void OnUtteranceStarted(int utteranceId);

    /// <summary>The far end has played up to a mark of <see cref="Playout.AddMark(long, int)"/>.</summary>
    void OnMark(int utteranceId, int markId);

    /// <summary>The far end ran dry amid the utterance. Once per stall.</summary>
    void OnUnderrun(int utteranceId);

    /// <summary>The far end has played the whole utterance; all of its marks came before.</summary>
    void OnUtterancePlayed(int utteranceId);

    /// <summary>
    /// All unsent sound was dropped, or what the far end has not played will be sent again with another volume. Where the far end can clear,
    /// this is the moment to tell it: nothing newer can be sent before this returns.
    /// </summary>
    /// <param name="playSamplePosition">The moment on the clock of <see cref="TrySend"/>: what was sent for later is not heard where the far end clears.</param>
    void OnCleared(long playSamplePosition)
    {
    }
}

/// <summary>How far the far end has played.</summary>
/// <param name="UtteranceId">The utterance that plays, else the next one, else the last one played; -1 before the first.</param>
/// <param name="Samples">Played samples of that utterance.</param>
public readonly record struct PlayoutPosition(int UtteranceId, long Samples);
