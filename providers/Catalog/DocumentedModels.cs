namespace VoiceGrains.Providers.Catalog;

/// <summary>Model names that Ultravox's documentation and release notes give as valid today. Clients send them, so all of them lead somewhere.</summary>
internal static class DocumentedModels
{
    public static readonly string[] Aliases =
    [
        "ultravox-v0.7",
        "fixie-ai/ultravox",
        "fixie-ai/ultravox-v0.7",
        "fixie-ai/ultravox-glm4.6-355b-preview",
        "fixie-ai/ultravox-glm4.5-355b-preview",
        "ultravox-v0.6",
        "ultravox-v0.6-llama3.3-70b",
        "fixie-ai/ultravox-llama3.3-70b",
        "ultravox-v0.6-gemma3-27b",
        "fixie-ai/ultravox-gemma3-27b-preview",
    ];
}
