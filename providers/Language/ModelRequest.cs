using System.Text.Json.Nodes;

namespace VoiceGrains.Providers.Language;

/// <summary>One generation.</summary>
/// <param name="Model">The model's name at its provider (an alias is already resolved).</param>
/// <param name="SystemPrompt">System prompt with templates filled; null sends none.</param>
/// <param name="Messages">History, oldest first.</param>
/// <param name="Tools">Tools that the model may call; empty means none.</param>
/// <param name="Temperature">0 to 1.</param>
public sealed record ModelRequest(
    string Model,
    string? SystemPrompt,
    IReadOnlyList<ChatMessage> Messages,
    IReadOnlyList<ModelTool> Tools,
    double Temperature = 0)
{
    /// <summary>Most tokens to generate; null leaves it to the provider.</summary>
    public int? MaxOutputTokens { get; init; }
}

/// <summary>A tool as the model sees it. <paramref name="Parameters"/> is a JSON Schema of type object.</summary>
public sealed record ModelTool(string Name, string Description, JsonObject Parameters);
