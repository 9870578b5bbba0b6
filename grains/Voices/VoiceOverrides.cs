using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.Grains.Voices;

/// <summary>A call's <c>voiceOverrides</c> over the definition of the voice that it names.</summary>
public static class VoiceOverrides
{
    /// <summary>What decides which voice speaks, and what it costs.</summary>
    private static readonly string[] Fixed = ["voiceId", "model", "modelId"];

    /// <summary>Tells of overrides that are for another provider, or of fields that may not be overridden.</summary>
    public static void Check(ExternalVoice voice, ExternalVoice overrides, InputErrors errors)
    {
        if (voice.ProviderOf() is not { } provider)
        {
            errors.Add("The voice is a generic one, of which nothing may be overridden.");
        }
        else if (overrides.SettingsAt(provider) is not { } given)
        {
            errors.Add($"The provider must be the voice's, which is '{provider.Field}'.");
        }
        else
        {
            var own = voice.SettingsAt(provider)!;
            foreach (var field in Fixed)
                if (given[field] is { } value && !JsonNode.DeepEquals(value, own[field])) errors.Field(provider.Field).Field(field).Add("May not be overridden.");
        }
    }

    /// <summary>The voice with the overrides' fields in place of its own, as far as they are for its provider.</summary>
    public static ExternalVoice Apply(ExternalVoice voice, ExternalVoice? overrides)
    {
        if (voice.ProviderOf() is not { } provider || overrides?.SettingsAt(provider) is not { } given) return voice;
        var settings = (JsonObject)voice.SettingsAt(provider)!.DeepClone();
        foreach (var (field, value) in given)
            if (value is not null && !Fixed.Contains(field)) settings[field] = value.DeepClone();
        return ExternalVoices.Of(provider, settings);
    }
}
