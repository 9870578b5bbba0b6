using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.StartCallRequest</c>. Null means the documented default.</summary>
[AtMostOne("voice", "externalVoice")]
public sealed record StartCallRequest
{
    public string? SystemPrompt { get; init; }
    /// <summary>0 to 1. Default 0.</summary>
    [Range(0.0, 1.0)] public double? Temperature { get; init; }
    public string? Model { get; init; }
    /// <summary>Name or id.</summary>
    public string? Voice { get; init; }
    public ExternalVoice? ExternalVoice { get; init; }
    /// <summary>BCP 47 code.</summary>
    [StringLength(16)] public string? LanguageHint { get; init; }
    [MaxLength(1_000)] public IReadOnlyList<Message>? InitialMessages { get; init; }
    /// <summary>Default 30 s.</summary>
    [DurationRange("0s", "86400s")] public TimeSpan? JoinTimeout { get; init; }
    /// <summary>Default 1 h.</summary>
    [DurationRange("0s", "86400s")] public TimeSpan? MaxDuration { get; init; }
    public string? TimeExceededMessage { get; init; }
    [MaxLength(100)] public IReadOnlyList<TimedMessage>? InactivityMessages { get; init; }
    [MaxLength(200)] public IReadOnlyList<SelectedTool>? SelectedTools { get; init; }
    /// <summary>None means WebRTC.</summary>
    public CallMedium? Medium { get; init; }
    public bool? RecordingEnabled { get; init; }
    /// <summary>Older form of <see cref="FirstSpeakerSettings"/>; where both are set they must agree.</summary>
    public FirstSpeaker? FirstSpeaker { get; init; }
    public bool? TranscriptOptional { get; init; }
    /// <summary>Default voice.</summary>
    public MessageMedium? InitialOutputMedium { get; init; }
    public VadSettings? VadSettings { get; init; }
    /// <summary>Default: the agent, with a greeting of its own making.</summary>
    public FirstSpeakerSettings? FirstSpeakerSettings { get; init; }
    public JsonObject? ExperimentalSettings { get; init; }
    [MaxLength(100)] public IReadOnlyDictionary<string, string>? Metadata { get; init; }
    public JsonObject? InitialState { get; init; }
    public DataConnectionConfig? DataConnection { get; init; }
    public Callbacks? Callbacks { get; init; }
    /// <summary>Only together with <see cref="Voice"/>.</summary>
    public ExternalVoice? VoiceOverrides { get; init; }
    public CallRetentionPolicy? RetentionPolicy { get; init; }
    /// <summary>Write-only: sign requests that the call makes.</summary>
    [MaxLength(10)] public IReadOnlyList<string>? SharedSecrets { get; init; }
}

/// <summary><c>ultravox.v1.StartAgentCallRequest</c>: what one call has different from its agent's template.</summary>
public sealed record StartAgentCallRequest
{
    /// <summary>Fills the template's <c>{{names}}</c>.</summary>
    public JsonObject? TemplateContext { get; init; }
    [MaxLength(1_000)] public IReadOnlyList<Message>? InitialMessages { get; init; }
    [MaxLength(100)] public IReadOnlyDictionary<string, string>? Metadata { get; init; }
    public CallMedium? Medium { get; init; }
    [DurationRange("0s", "86400s")] public TimeSpan? JoinTimeout { get; init; }
    [DurationRange("0s", "86400s")] public TimeSpan? MaxDuration { get; init; }
    public bool? RecordingEnabled { get; init; }
    public MessageMedium? InitialOutputMedium { get; init; }
    public FirstSpeakerSettings? FirstSpeakerSettings { get; init; }
    public DataConnectionConfig? DataConnection { get; init; }
    public JsonObject? ExperimentalSettings { get; init; }
    public Callbacks? Callbacks { get; init; }
    /// <summary>Name or id; takes the place of the template's voice, its own or external.</summary>
    public string? Voice { get; init; }
    /// <summary>Only together with <see cref="Voice"/>.</summary>
    public ExternalVoice? VoiceOverrides { get; init; }
    public ToolOverrides? ToolOverrides { get; init; }
    public CallRetentionPolicy? RetentionPolicy { get; init; }
    [MaxLength(10)] public IReadOnlyList<string>? SharedSecrets { get; init; }
    /// <summary>Ignored: the URL names the agent.</summary>
    public string? AgentId { get; init; }
}

/// <summary>Who talks first.</summary>
public enum FirstSpeaker : byte
{
    [JsonStringEnumMemberName("FIRST_SPEAKER_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("FIRST_SPEAKER_AGENT")] Agent = 1,
    [JsonStringEnumMemberName("FIRST_SPEAKER_USER")] User = 2,
}
