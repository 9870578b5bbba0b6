using System.Runtime.CompilerServices;

namespace VoiceGrains.Providers.Synthesis.Embedded;

/// <summary>
/// Turns text pieces into chunks by way of phrases: each piece is cleaned and divided, spoken by an engine thread, and put on the utterance's own
/// time line and character offsets, with a breath between phrases. What the engines share; see <see cref="PhraseWorkers"/> for what runs where.
/// </summary>
internal sealed class PhraseSpeaker(PhraseWorkers workers, Func<string, SpokenText> clean, TimeSpan sentencePause, TimeSpan clausePause)
{
    public async IAsyncEnumerable<SpeechChunk> SpeakAsync(
        SynthesisRequest request, IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var utterance = new Utterance();
        await foreach (var piece in text.WithCancellation(cancellationToken))
        {
            var spoken = clean(piece);
            foreach (var phrase in PhraseSplitter.Split(spoken.Text))
            {
                var job = new PhraseJob(request.Voice, spoken.Text[phrase.Start..phrase.End], request.LanguageHint);
                workers.Enqueue(job);
                try
                {
                    await foreach (var part in job.Parts.ReadAllAsync(cancellationToken))
                    {
                        cancellationToken.ThrowIfCancellationRequested();   // the channel alone would first give what it holds
                        if (utterance.Pause(part.SampleRateHz) is { } pause)
                            yield return pause;
                        utterance.AddWords(part, spoken, phrase);
                        yield return utterance.Chunk(part);
                    }
                }
                finally
                {
                    job.Cancel();
                }
                utterance.EndPhrase(phrase.Ending switch
                {
                    PhraseEnd.Sentence => sentencePause,
                    PhraseEnd.Clause => clausePause,
                    _ => TimeSpan.Zero,
                });
            }
            utterance.EndPiece(piece.Length);
        }
    }

    /// <summary>Where the utterance stands, in samples and in characters.</summary>
    private sealed class Utterance
    {
        private readonly Queue<WordTiming> coming = new();   // words of the phrase that begin after the sound so far
        private readonly Queue<WordTiming> ending = new();   // words that end after the sound so far
        private long samples, phraseFirst;
        private int textOffset, textEnd;
        private TimeSpan pause, lastEnd;
        private bool midPhrase;

        /// <summary>The rest before a new phrase; nothing before the first, whose sound should come at once.</summary>
        public SpeechChunk? Pause(int rateHz)
        {
            if (midPhrase)
                return null;
            midPhrase = true;
            var count = (int)(pause.TotalSeconds * rateHz);
            samples += count;
            phraseFirst = samples;
            return count == 0 ? null : new(new short[count], rateHz, []) { TextEnd = textEnd };
        }

        public void AddWords(PhrasePart part, SpokenText spoken, PhraseRange phrase)
        {
            foreach (var word in part.Words)
            {
                var (start, end) = spoken.Original(phrase.Start + word.TextStart, phrase.Start + word.TextEnd);
                var from = Max(At(word.FirstSample, part.SampleRateHz), lastEnd);
                lastEnd = Max(At(word.EndSample, part.SampleRateHz), from);
                var timing = new WordTiming(textOffset + start, textOffset + end, from, lastEnd);
                coming.Enqueue(timing);
                ending.Enqueue(timing);
            }
        }

        public SpeechChunk Chunk(PhrasePart part)
        {
            samples += part.Pcm.Length;
            var now = TimeSpan.FromSeconds((double)samples / part.SampleRateHz);
            var words = new List<WordTiming>();
            while (coming.TryPeek(out var word) && word.Start < now)
                words.Add(coming.Dequeue());
            while (ending.TryPeek(out var word) && word.End <= now)
                textEnd = Math.Max(textEnd, ending.Dequeue().TextEnd);
            return new(part.Pcm, part.SampleRateHz, words) { TextEnd = textEnd };
        }

        public void EndPhrase(TimeSpan rest)
        {
            if (midPhrase)
                pause = rest;
            foreach (var word in ending)
                textEnd = Math.Max(textEnd, word.TextEnd);
            coming.Clear();
            ending.Clear();
            midPhrase = false;
        }

        public void EndPiece(int length) => textOffset += length;

        private TimeSpan At(int sample, int rateHz) => TimeSpan.FromSeconds((double)(phraseFirst + sample) / rateHz);

        private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
    }
}
