namespace VoiceGrains.Providers.Language;

/// <summary>A piece of a model's answer.</summary>
public abstract record ModelDelta
{
    private ModelDelta() { }

    /// <summary>More words of the answer, in order; may split anywhere, also inside a word.</summary>
    public sealed record Text(string Value) : ModelDelta;

    /// <summary>A whole tool call. <paramref name="Arguments"/> is what the model wrote; it may be invalid JSON.</summary>
    public sealed record ToolCall(string Id, string Name, string Arguments) : ModelDelta;

    /// <summary>Tokens that the provider counted.</summary>
    public sealed record Usage(int InputTokens, int OutputTokens) : ModelDelta;
}
