using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Providers.Tests.Speech;

/// <summary>A whole utterance as its listener gets it.</summary>
internal sealed record Utterance(string Text, short[] Pcm, int SampleRateHz, WordTiming[] Words, SpeechChunk[] Chunks)
{
    public TimeSpan Duration => TimeSpan.FromSeconds(SampleRateHz == 0 ? 0 : (double)Pcm.Length / SampleRateHz);

    public string[] WordTexts => [.. Words.Select(word => Text[word.TextStart..word.TextEnd])];

    public static async Task<Utterance> SpeakAsync(ISynthesizer synthesizer, string voice, params string[] pieces)
    {
        var chunks = new List<SpeechChunk>();
        await foreach (var chunk in synthesizer.SynthesizeAsync(new(voice, 16_000), Pieces(pieces), TestContext.Current.CancellationToken))
            chunks.Add(chunk);
        Assert.True(chunks.Select(c => c.SampleRateHz).Distinct().Count() <= 1);
        return new(string.Concat(pieces), [.. chunks.SelectMany(c => c.Pcm.ToArray())], chunks.FirstOrDefault()?.SampleRateHz ?? 0,
            [.. chunks.SelectMany(c => c.Words)], [.. chunks]);
    }

    /// <summary>What every engine promises: words in order, inside the text and the sound, told no later than they sound.</summary>
    public void AssertConsistent()
    {
        var (textAt, timeAt) = (0, TimeSpan.Zero);
        foreach (var word in Words)
        {
            Assert.True(word.TextStart >= textAt && word.TextEnd > word.TextStart && word.TextEnd <= Text.Length, $"text of {word} in '{Text}'");
            Assert.True(word.Start >= timeAt && word.End >= word.Start && word.End <= Duration + TimeSpan.FromMilliseconds(1), $"time of {word} in {Duration} of '{Text}'");
            (textAt, timeAt) = (word.TextEnd, word.End);
        }
        var (samples, covered) = (0, 0);
        foreach (var chunk in Chunks)
        {
            samples += chunk.Pcm.Length;
            var end = TimeSpan.FromSeconds((double)samples / chunk.SampleRateHz);
            Assert.NotEqual(0, chunk.Pcm.Length);
            Assert.All(chunk.Words, word => Assert.True(word.Start <= end));
            Assert.InRange(chunk.TextEnd, covered, Text.Length);
            covered = chunk.TextEnd;
        }
    }

    public static async IAsyncEnumerable<string> Pieces(params string[] pieces)
    {
        foreach (var piece in pieces)
        {
            await Task.Yield();
            yield return piece;
        }
    }

    /// <summary>Random text that an engine may choke on: words, digits, control characters, lone surrogates, every script.</summary>
    public static string RandomText(Random random)
    {
        string[] words = ["hello", "Dr.", "1984", "$12.50", "St.", "don't", "10:30", "3/4", "5%", "www.foo.com", "1,234,567", "--", "...", "(yes)", "2nd", "1990s", "-5",
            "+1-555-1234", "MMXVII", "e.g.", "99999999999999999999999999", "café", "😀", "Zürich", "日本", "привет", "<speak>", "[[hello]]", "a\0b", "\r\n", "%s%n"];
        var text = new System.Text.StringBuilder();
        for (var n = random.Next(1, 7); n > 0; n--)
        {
            switch (random.Next(3))
            {
                case 0: text.Append(words[random.Next(words.Length)]); break;
                case 1: text.Append((char)random.Next(0x20, 0x7F)).Append((char)random.Next(0x20, 0x7F)); break;
                default: text.Append((char)random.Next(0x1_0000)); break;
            }
            if (random.Next(4) > 0)
                text.Append(' ');
        }
        return text.ToString();
    }
}
