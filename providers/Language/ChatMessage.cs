namespace VoiceGrains.Providers.Language;

/// <summary>Who speaks in a <see cref="ChatMessage"/>.</summary>
public enum ChatRole : byte { User, Agent, ToolCall, ToolResult, System }

/// <summary>One message of the history given to a model.</summary>
/// <param name="Role">Whose message it is.</param>
/// <param name="Text">The words; for <see cref="ChatRole.ToolCall"/> the arguments as a JSON object, for <see cref="ChatRole.ToolResult"/> the result.</param>
public sealed record ChatMessage(ChatRole Role, string Text)
{
    /// <summary>The user's turn as 16 kHz mono PCM, for models that hear; <see cref="Text"/> is then the recognized text or empty.</summary>
    public ReadOnlyMemory<short> Audio { get; init; }

    /// <summary>Pairs a tool call with its result.</summary>
    public string? InvocationId { get; init; }

    /// <summary>The tool's model-facing name on tool calls and results.</summary>
    public string? ToolName { get; init; }
}
