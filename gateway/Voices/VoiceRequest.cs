using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.Gateway.Voices;

/// <summary><c>Voice</c> as it is tried out.</summary>
[ReadOnlyFields("voiceId", "languageLabel", "previewUrl", "ownership", "billingStyle", "provider")]
internal sealed record VoiceRequest
{
    [StringLength(40)] public string? Name { get; init; }
    [StringLength(240)] public string? Description { get; init; }
    [StringLength(10)] public string? PrimaryLanguage { get; init; }
    [Required] public ExternalVoice? Definition { get; init; }
}
