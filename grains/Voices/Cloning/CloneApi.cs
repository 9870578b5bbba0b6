using System.Net.Http.Headers;
using System.Text.Json;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Grains.Voices.Cloning;

/// <summary>How a provider is asked to clone a voice: one multipart request, answered by the voice's id.</summary>
/// <param name="Provider">Whose API it is.</param>
/// <param name="Path">Voices are made here by POST; one is deleted below it.</param>
/// <param name="DeletePath">Below which a voice is deleted.</param>
/// <param name="FileField">The sample's part.</param>
/// <param name="IdField">The id in the answer.</param>
internal sealed record CloneApi(TtsProvider Provider, string Path, string DeletePath, string FileField, string IdField)
{
    /// <summary>
    /// In the order in which an account's keys are tried. https://elevenlabs.io/docs/api-reference/voices/ivc/create,
    /// https://docs.cartesia.ai/api-reference/voices/clone, https://docs.lmnt.com/api-reference/voice/create-voice.
    /// </summary>
    public static IReadOnlyList<CloneApi> All { get; } =
    [
        new(TtsProvider.ElevenLabs, "/v1/voices/add", "/v1/voices/", "files", "voice_id"),
        new(TtsProvider.Cartesia, "/voices/clone", "/voices/", "clip", "id"),
        new(TtsProvider.Lmnt, "/v1/ai/voice", "/v1/ai/voice/", "files", "id"),
    ];

    /// <summary>The HTTP address of the provider whose calls go over <c>ws</c>.</summary>
    public string BaseUrl(ExternalVoiceOptions options)
    {
        ExternalProviderOptions its = Provider == TtsProvider.ElevenLabs ? options.ElevenLabs : Provider == TtsProvider.Cartesia ? options.Cartesia : options.Lmnt;
        var url = its.BaseUrl.TrimEnd('/');
        return url.StartsWith("ws", StringComparison.OrdinalIgnoreCase) ? "http" + url[2..] : url;
    }

    public void Authenticate(HttpRequestHeaders headers, string key, ExternalVoiceOptions options)
    {
        if (Provider == TtsProvider.ElevenLabs) headers.TryAddWithoutValidation("xi-api-key", key);
        else if (Provider == TtsProvider.Lmnt) headers.TryAddWithoutValidation("X-API-Key", key);
        else
        {
            headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            headers.TryAddWithoutValidation("Cartesia-Version", options.Cartesia.Version);
        }
    }

    /// <summary>The parts beside the file.</summary>
    public IEnumerable<(string Name, string Value)> Fields(CloneDraft draft)
    {
        yield return ("name", draft.Name);
        if (draft.Description is { } description) yield return ("description", description);
        if (Provider == TtsProvider.ElevenLabs) yield return ("labels", JsonSerializer.Serialize(new { language = LanguageOf(draft) }));
        if (Provider == TtsProvider.Cartesia) yield return ("language", LanguageOf(draft));
        if (Provider == TtsProvider.Lmnt) yield return ("enhance", "false");
    }

    /// <summary>Without the region: providers know languages only.</summary>
    private static string LanguageOf(CloneDraft draft) => draft.Language.Split('-')[0].ToLowerInvariant();
}
