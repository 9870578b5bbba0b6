using System.Runtime.CompilerServices;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Answers each request by what the test queued, else by the default.</summary>
internal sealed class TestModel(TimeProvider clock) : ILanguageModel
{
    public bool AcceptsAudio { get; set; }
    public Queue<Func<ModelRequest, IEnumerable<ModelDelta>>> Answers { get; } = new();
    public string Default { get; set; } = "All right.";
    public TimeSpan Delay { get; set; }
    public TimeSpan DelayPerDelta { get; set; }
    public ProviderException? Failure { get; set; }
    public bool Hangs { get; set; }
    public List<ModelRequest> Requests { get; } = [];
    public int Cancelled { get; private set; }

    public void Enqueue(params ModelDelta[] deltas) => Answers.Enqueue(_ => deltas);

    public async IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var count = cancellationToken.Register(() => Cancelled++);
        Requests.Add(request);
        if (Hangs) await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);
        if (Delay > TimeSpan.Zero) await Task.Delay(Delay, clock, cancellationToken);
        if (Failure is { } failure) throw failure;
        var deltas = Answers.TryDequeue(out var answer) ? answer(request) : [new ModelDelta.Text(Default)];
        foreach (var delta in deltas)
        {
            if (DelayPerDelta > TimeSpan.Zero) await Task.Delay(DelayPerDelta, clock, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            yield return delta;
        }
    }
}

/// <summary>Hears whatever the test says the user said.</summary>
internal sealed class TestRecognizer : IRecognizer
{
    public Queue<string> Texts { get; } = new();
    public string Default { get; set; } = "hello";
    public ProviderException? Failure { get; set; }
    public int Started { get; private set; }
    /// <summary>Tells the turn under way what was understood so far.</summary>
    public Action<string>? Partial { get; private set; }

    public IRecognition Start(RecognitionOptions options)
    {
        Started++;
        Partial = options.OnPartial;
        return new Turn(this);
    }

    private sealed class Turn(TestRecognizer owner) : IRecognition
    {
        public void Write(ReadOnlySpan<short> pcm) { }

        public Task<string> FinishAsync(CancellationToken cancellationToken)
            => owner.Failure is { } failure ? Task.FromException<string>(failure) : Task.FromResult(owner.Texts.TryDequeue(out var text) ? text : owner.Default);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Speaks the n-th word that it is ever given as samples of value n, so that a test knows to the sample which words were heard.</summary>
internal sealed class WordSynthesizer(TimeSpan wordDuration, TimeProvider clock) : ISynthesizer
{
    public List<string> Words { get; } = [];
    public ProviderException? Failure { get; set; }
    public TimeSpan Delay { get; set; }
    /// <summary>Added to the value of each sample.</summary>
    public int Amplitude { get; set; }
    /// <summary>Samples per chunk; 0 is a word per chunk.</summary>
    public int ChunkSamples { get; set; }
    public bool TellsTiming { get; set; } = true;

    public async IAsyncEnumerable<SpeechChunk> SynthesizeAsync(
        SynthesisRequest request, IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rate = request.PreferredSampleRateHz;
        var (offset, sounded) = (0, TimeSpan.Zero);
        await foreach (var piece in text)
        {
            if (Delay > TimeSpan.Zero) await Task.Delay(Delay, clock, cancellationToken);
            if (Failure is { } failure) throw failure;
            var pcm = new List<short>();
            var timings = new List<WordTiming>();
            foreach (var (start, end) in Split(piece))
            {
                Words.Add(piece[start..end]);
                timings.Add(new(offset + start, offset + end, sounded, sounded + wordDuration));
                sounded += wordDuration;
                pcm.AddRange(Enumerable.Repeat((short)(Amplitude + Words.Count), (int)(wordDuration.TotalSeconds * rate)));
            }
            offset += piece.Length;
            foreach (var chunk in Chunks(pcm, rate, timings, offset)) yield return chunk;
        }
    }

    private IEnumerable<SpeechChunk> Chunks(List<short> pcm, int rate, List<WordTiming> timings, int textEnd)
    {
        var size = ChunkSamples > 0 ? ChunkSamples : Math.Max(1, (int)(wordDuration.TotalSeconds * rate));
        var chunks = pcm.Chunk(size).ToArray();
        for (var i = 0; i < chunks.Length; i++)
        {
            var last = i == chunks.Length - 1;
            yield return new SpeechChunk(chunks[i], rate, TellsTiming && i == 0 ? timings : []) { TextEnd = last ? textEnd : -1 };
        }
    }

    private static IEnumerable<(int Start, int End)> Split(string piece)
    {
        for (var i = 0; i < piece.Length;)
        {
            if (piece[i] == ' ') { i++; continue; }
            var end = piece.IndexOf(' ', i) is >= 0 and var space ? space : piece.Length;
            yield return (i, end);
            i = end;
        }
    }
}
