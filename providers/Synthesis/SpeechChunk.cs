namespace VoiceGrains.Providers.Synthesis;

/// <summary>A stretch of synthesized speech.</summary>
/// <param name="Pcm">Mono samples; the receiver owns them. Empty in a chunk that only tells of words or of the text's end.</param>
/// <param name="SampleRateHz">Rate of <paramref name="Pcm"/>; the same for all chunks of an utterance.</param>
/// <param name="Words">Words that begin in or after this chunk, in order, as far as the engine knows them; remote ones may tell them a little after their
/// sound. Empty when it tells no timing.</param>
public sealed record SpeechChunk(ReadOnlyMemory<short> Pcm, int SampleRateHz, IReadOnlyList<WordTiming> Words)
{
    /// <summary>
    /// How many characters of the utterance's text all sound up to the end of this chunk covers, where the engine knows it; -1 where not.
    /// Engines without word timing give it at each sentence's end, so that the listener can spread the words over the sound.
    /// </summary>
    public int TextEnd { get; init; } = -1;

    /// <summary>
    /// As <see cref="TextEnd"/>, but only guessed from a speaking rate while the sentence still streams in; -1 where not guessed. The next
    /// <see cref="TextEnd"/> supersedes all guesses before it: the words are then spread over the sound that there really was.
    /// </summary>
    public int EstimatedTextEnd { get; init; } = -1;
}

/// <summary>When a word sounds.</summary>
/// <param name="TextStart">Offset of its first character in the utterance's text.</param>
/// <param name="TextEnd">Offset after its last character.</param>
/// <param name="Start">From the utterance's first sample.</param>
/// <param name="End">From the utterance's first sample.</param>
public readonly record struct WordTiming(int TextStart, int TextEnd, TimeSpan Start, TimeSpan End);
