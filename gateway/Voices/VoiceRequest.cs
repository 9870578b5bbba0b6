using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.Gateway.Voices;

/// <summary><c>Voice</c> as it is created and replaced.</summary>
[ReadOnlyFields("voiceId", "languageLabel", "previewUrl", "ownership", "billingStyle", "provider")]
internal sealed record VoiceRequest
{
    [Required, StringLength(40, MinimumLength = 1)] public string? Name { get; init; }
    [StringLength(240)] public string? Description { get; init; }
    [StringLength(10), RegularExpression(LanguagePattern, ErrorMessage = NoLanguage)] public string? PrimaryLanguage { get; init; }
    [Required] public ExternalVoice? Definition { get; init; }

    internal const string LanguagePattern = "^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$", NoLanguage = "Enter a BCP 47 language code, such as \"en\" or \"pt-BR\".";
}

/// <summary><c>Voice</c> as it is tried out.</summary>
[ReadOnlyFields("voiceId", "languageLabel", "previewUrl", "ownership", "billingStyle", "provider")]
internal sealed record VoiceTrial
{
    [StringLength(40, MinimumLength = 1)] public string? Name { get; init; }
    [StringLength(240)] public string? Description { get; init; }
    [StringLength(10)] public string? PrimaryLanguage { get; init; }
    [Required] public ExternalVoice? Definition { get; init; }
}

/// <summary>The fields beside the file of a voice that is cloned.</summary>
internal sealed record CloneFields
{
    [Required, StringLength(40, MinimumLength = 1)] public string? Name { get; init; }
    [StringLength(240)] public string? Description { get; init; }
    [StringLength(10), RegularExpression(VoiceRequest.LanguagePattern, ErrorMessage = VoiceRequest.NoLanguage)] public string? Language { get; init; }
}
