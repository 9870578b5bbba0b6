using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.Gateway.Connection;

/// <summary>
/// <c>TTSParams</c> as far as voices here know them. <c>model</c> and <c>dictionary_id</c> name things of another service: they are checked and not used.
/// </summary>
/// <param name="VoiceId">Name or id of a voice; null keeps the agent's.</param>
/// <param name="Language">ISO 639-1; null keeps the agent's language, as <c>auto</c> does.</param>
/// <param name="Temperature">0 to 2; for voices whose provider has one.</param>
/// <param name="TopP">0 to 1; for voices whose provider has one.</param>
internal sealed record TtsParams(string? VoiceId, string? Language, double? Temperature, double? TopP)
{
    private static readonly string[] Models =
        ["voiceai-tts-v1-latest", "voiceai-tts-v1-2026-02-10", "voiceai-tts-multilingual-v1-latest", "voiceai-tts-multilingual-v1-2026-02-10"];

    private static readonly string[] Languages = ["auto", "en", "ca", "sv", "es", "fr", "de", "it", "pt", "pl", "ru", "nl"];

    public static TtsParams Read(FieldReader fields)
    {
        fields.OnlyHas("voice_id", "model", "language", "temperature", "top_p", "dictionary_id");
        fields.Choice("model", Models);
        fields.Text("dictionary_id");
        var language = fields.Choice("language", Languages);
        return new(fields.Text("voice_id"), language == "auto" ? null : language, fields.Number("temperature", 0, 2), fields.Number("top_p", 0, 1));
    }

    /// <summary>Lays them over a call's voice.</summary>
    /// <param name="call">With the voice that it will have.</param>
    /// <param name="own">The definition behind <see cref="StartCallRequest.Voice"/> where that is one of the account's own; else null.</param>
    public StartCallRequest Over(StartCallRequest call, ExternalVoice? own)
    {
        if (Language is not null) call = call with { LanguageHint = Language };
        if (call.ExternalVoice is { } external) return call with { ExternalVoice = Tuned(external, external) ?? external };
        return own is not null && Tuned(own, call.VoiceOverrides ?? new ExternalVoice()) is { } overrides ? call with { VoiceOverrides = overrides } : call;
    }

    /// <summary>Settings with these in them; null where the voice's provider knows neither.</summary>
    private ExternalVoice? Tuned(ExternalVoice voice, ExternalVoice settings)
    {
        if (voice.Inworld is not null && Temperature is not null) return settings with { Inworld = With(settings.Inworld, ("temperature", Temperature)) };
        // Respeecher has no nucleus of size 0.
        var topP = TopP > 0 ? TopP : null;
        if (voice.Respeecher is not null && (Temperature ?? topP) is not null) return settings with { Respeecher = With(settings.Respeecher, ("temperature", Temperature), ("topP", topP)) };
        return null;
    }

    private static JsonObject With(JsonObject? settings, params ReadOnlySpan<(string Name, double? Value)> values)
    {
        var changed = settings is null ? [] : (JsonObject)settings.DeepClone();
        foreach (var (name, value) in values)
            if (value is not null) changed[name] = value;
        return changed;
    }
}
