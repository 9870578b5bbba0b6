using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>
/// Counts a thread's tokens against its limits. A provider's own count is taken where it sends one; otherwise, and before a request, four characters are
/// taken for a token.
/// </summary>
internal sealed class ThreadUsage(ThreadLimits limits)
{
    /// <summary>No tokenizer gets more than this out of a token over a long text: whatever is longer has passed the limit for certain.</summary>
    private const int MostCharactersPerToken = 8;
    private const int CharactersPerToken = 4;
    private const int MostThatModelsAllow = 4096;

    public long Generations { get; private set; }
    public long InputTokens { get; private set; }
    public long OutputTokens { get; private set; }

    /// <summary>
    /// Tokens that the next generation may be asked for: one above what is left, so that passing the limit shows. Null where that is more than any model
    /// surely allows: providers refuse requests that ask for too many.
    /// </summary>
    public int? MostOutputTokens => Left is { } left and < MostThatModelsAllow ? (int)left + 1 : null;

    public static long EstimateOf(ModelRequest request)
        => EstimateOf(request.SystemPrompt?.Length ?? 0)
            + request.Messages.Sum(message => EstimateOf(message.Text.Length + (message.ToolName?.Length ?? 0)))
            + request.Tools.Sum(tool => EstimateOf(tool.Name.Length + tool.Description.Length + tool.Parameters.ToJsonString().Length));

    /// <summary>Tokens of so many characters.</summary>
    public static long EstimateOf(int characters) => (characters + CharactersPerToken - 1) / CharactersPerToken;

    /// <summary>The limit that one more generation would pass; null when it may begin.</summary>
    public string? RefusalOf(ModelRequest request)
    {
        if (Generations >= limits.Generations) return Passed("generationLimit", Generations + 1, limits.Generations);
        if (limits.GenerationInputTokens is null && limits.ThreadInputTokens is null) return null;
        var estimate = EstimateOf(request);
        if (estimate > limits.GenerationInputTokens) return Passed("generationFuzzyInputTokenLimit", estimate, limits.GenerationInputTokens);
        return InputTokens + estimate > limits.ThreadInputTokens ? Passed("threadFuzzyInputTokenLimit", InputTokens + estimate, limits.ThreadInputTokens) : null;
    }

    public void Begin() => Generations++;

    /// <summary>Whether a generation that goes on writing has passed a limit beyond doubt.</summary>
    public bool IsFarOver(int characters)
        => Left is { } left && characters / MostCharactersPerToken > left;

    /// <summary>Adds what a generation used; gives the limit that it passed.</summary>
    /// <param name="request">What it read.</param>
    /// <param name="characters">How much it wrote.</param>
    /// <param name="told">By its provider; null when it told nothing.</param>
    public string? Add(ModelRequest request, int characters, ModelDelta.Usage? told)
    {
        var (input, output) = told is { InputTokens: > 0 } ? (told.InputTokens, told.OutputTokens) : (EstimateOf(request), EstimateOf(characters));
        InputTokens += input;
        OutputTokens += output;
        if (output > limits.GenerationOutputTokens) return Passed("generationOutputTokenLimit", output, limits.GenerationOutputTokens);
        if (OutputTokens > limits.ThreadOutputTokens) return Passed("threadOutputTokenLimit", OutputTokens, limits.ThreadOutputTokens);
        if (input > limits.GenerationInputTokens) return Passed("generationFuzzyInputTokenLimit", input, limits.GenerationInputTokens);
        return InputTokens > limits.ThreadInputTokens ? Passed("threadFuzzyInputTokenLimit", InputTokens, limits.ThreadInputTokens) : null;
    }

    private static string Passed(string limit, long value, long? most) => $"{limit}: {value} is more than the limit of {most}.";

    /// <summary>Tokens that a generation may write; null when nothing limits it.</summary>
    private long? Left
    {
        get
        {
            var (ofThread, ofGeneration) = (limits.ThreadOutputTokens - OutputTokens, limits.GenerationOutputTokens);
            var least = ofThread < ofGeneration ? ofThread : ofGeneration ?? ofThread;
            return least < 0 ? 0 : least;
        }
    }
}
