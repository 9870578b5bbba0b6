using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Gateway.Voices;

/// <summary><c>Voice</c>. The server's own voices are public and cost nothing extra; how they are made is not told: their definition, which clients that were generated must find, is empty.</summary>
/// <param name="PreviewUrl">Absolute; the API key is needed there too.</param>
internal sealed record VoiceResponse(
    Guid VoiceId, string Name, string? Description, string? PrimaryLanguage, string? LanguageLabel, string PreviewUrl,
    [property: AllowedValues(VoiceResponse.Public, VoiceResponse.Private)] string Ownership,
    [property: AllowedValues(VoiceResponse.Included, VoiceResponse.External)] string BillingStyle,
    string? Provider, [property: Shape(typeof(ExternalVoice))] JsonNode Definition)
{
    public const string Public = "public", Private = "private", Included = "VOICE_BILLING_STYLE_INCLUDED", External = "VOICE_BILLING_STYLE_EXTERNAL";

    /// <param name="voice">A voice of the catalog.</param>
    /// <param name="publicBase">Scheme and host of links.</param>
    public static VoiceResponse From(Voice voice, string publicBase) => new(
        voice.VoiceId, voice.Name, voice.Description, voice.PrimaryLanguage, voice.LanguageLabel, PreviewOf(voice.VoiceId, publicBase),
        Public, Included, voice.Provider, Definition: new JsonObject());

    /// <param name="voice">One of the account's own.</param>
    /// <param name="publicBase">Scheme and host of links.</param>
    public static VoiceResponse From(OwnVoice voice, string publicBase) => new(
        voice.VoiceId, voice.Name, voice.Description, voice.PrimaryLanguage, voice.PrimaryLanguage is { } language ? Voice.LabelOf(language) : null,
        PreviewOf(voice.VoiceId, publicBase), Private, voice.UsesServerKey ? Included : External, voice.Definition.ProviderOf()?.Id,
        CallResponse.Sparse(voice.Definition)!);

    private static string PreviewOf(Guid voiceId, string publicBase) => $"{publicBase}/api/voices/{voiceId}/preview";
}
