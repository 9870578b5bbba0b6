using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.GrainInterfaces.Agents;

/// <summary>
/// <c>ultravox.v1.CallTemplate</c>: what the calls of an agent share. Null means the documented default. Its strings may hold
/// <c>{{templates}}</c>, which a call fills from its <c>templateContext</c>.
/// </summary>
[AtMostOne("voice", "externalVoice")]
[ReadOnlyFields("created", "updated")]
public sealed record CallTemplate
{
    [StringLength(64)] public string? Name { get; init; }
    public DateTimeOffset? Created { get; init; }
    public DateTimeOffset? Updated { get; init; }
    /// <summary>None means WebRTC.</summary>
    public CallMedium? Medium { get; init; }
    /// <summary>Default voice.</summary>
    public MessageMedium? InitialOutputMedium { get; init; }
    /// <summary>Default 30 s.</summary>
    [DurationRange("0s", "86400s")] public TimeSpan? JoinTimeout { get; init; }
    /// <summary>Default 1 h.</summary>
    [DurationRange("0s", "86400s")] public TimeSpan? MaxDuration { get; init; }
    public VadSettings? VadSettings { get; init; }
    public bool? RecordingEnabled { get; init; }
    /// <summary>Default: the agent, with a greeting of its own making.</summary>
    public FirstSpeakerSettings? FirstSpeakerSettings { get; init; }
    public string? SystemPrompt { get; init; }
    /// <summary>0 to 1. Default 0.</summary>
    [Range(0.0, 1.0)] public double? Temperature { get; init; }
    public string? Model { get; init; }
    /// <summary>Name or id.</summary>
    public string? Voice { get; init; }
    public ExternalVoice? ExternalVoice { get; init; }
    /// <summary>Only together with <see cref="Voice"/>.</summary>
    public ExternalVoice? VoiceOverrides { get; init; }
    /// <summary>BCP 47 code.</summary>
    [StringLength(64)] public string? LanguageHint { get; init; }
    public string? TimeExceededMessage { get; init; }
    [MaxLength(100)] public IReadOnlyList<TimedMessage>? InactivityMessages { get; init; }
    [MaxLength(200)] public IReadOnlyList<SelectedTool>? SelectedTools { get; init; }
    public DataConnectionConfig? DataConnection { get; init; }
    /// <summary>JSON Schema of the template context. Default: requires what the templates use.</summary>
    public JsonObject? ContextSchema { get; init; }
    /// <summary>Write-only: sign requests that the call makes.</summary>
    [MaxLength(10), Secret] public IReadOnlyList<string>? SharedSecrets { get; init; }
    public CallRetentionPolicy? RetentionPolicy { get; init; }
}

/// <summary>What becomes of a call's data after its end.</summary>
public enum CallRetentionPolicy : byte
{
    [JsonStringEnumMemberName("CALL_RETENTION_POLICY_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("CALL_RETENTION_POLICY_RETAIN")] Retain = 1,
    [JsonStringEnumMemberName("CALL_RETENTION_POLICY_AUTO_DELETE")] AutoDelete = 2,
}
