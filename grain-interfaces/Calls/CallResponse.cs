using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>Call</c>. Every documented field is written; what holds a protobuf message is written as protobuf JSON, without its unset fields.</summary>
public sealed record CallResponse
{
    public required string CallId { get; init; }
    public string? ClientVersion { get; init; }
    public required DateTimeOffset Created { get; init; }
    public DateTimeOffset? Joined { get; init; }
    public DateTimeOffset? Ended { get; init; }
    public EndReason? EndReason { get; init; }
    public TimeSpan? BilledDuration { get; init; }
    public int? BilledSideInputTokens { get; init; }
    public int? BilledSideOutputTokens { get; init; }
    [AllowedValues(
        "BILLING_STATUS_PENDING", "BILLING_STATUS_FREE_CONSOLE", "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION", "BILLING_STATUS_FREE_MINUTES", "BILLING_STATUS_FREE_SYSTEM_ERROR",
        "BILLING_STATUS_FREE_OTHER", "BILLING_STATUS_BILLED", "BILLING_STATUS_REFUNDED", "BILLING_STATUS_UNSPECIFIED")]
    public required string BillingStatus { get; init; }
    public required FirstSpeaker FirstSpeaker { get; init; }
    [Shape(typeof(FirstSpeakerSettings))] public required JsonNode FirstSpeakerSettings { get; init; }
    [Shape(typeof(TimedMessage[]))] public required JsonNode InactivityMessages { get; init; }
    public required MessageMedium InitialOutputMedium { get; init; }
    public required TimeSpan JoinTimeout { get; init; }
    public string? JoinUrl { get; init; }
    public string? LanguageHint { get; init; }
    public required TimeSpan MaxDuration { get; init; }
    [Shape(typeof(CallMedium))] public required JsonNode Medium { get; init; }
    public required string Model { get; init; }
    public required bool RecordingEnabled { get; init; }
    [AllowedValues("retain", "auto_delete")] public string? RetentionPolicy { get; init; }
    public string? SystemPrompt { get; init; }
    public required double Temperature { get; init; }
    public string? TimeExceededMessage { get; init; }
    public string? Voice { get; init; }
    [Shape(typeof(ExternalVoice))] public JsonNode? ExternalVoice { get; init; }
    [Shape(typeof(ExternalVoice))] public JsonNode? VoiceOverrides { get; init; }
    public required bool TranscriptOptional { get; init; }
    [Shape(typeof(VadSettings))] public JsonNode? VadSettings { get; init; }
    public string? ShortSummary { get; init; }
    public string? Summary { get; init; }
    public CallAgent? Agent { get; init; }
    public string? AgentId { get; init; }
    public JsonNode? ExperimentalSettings { get; init; }
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }
    [Shape(typeof(JsonObject))] public required JsonNode InitialState { get; init; }
    public JsonNode? RequestContext { get; init; }
    [Shape(typeof(DataConnectionConfig))] public JsonNode? DataConnectionConfig { get; init; }
    [Shape(typeof(Callbacks))] public JsonNode? Callbacks { get; init; }
    /// <summary>Always null: no call is a SIP call yet.</summary>
    [Shape(typeof(JsonObject))] public JsonNode? SipDetails => null;

    /// <param name="call">The call, its stage the current or last one.</param>
    /// <param name="joinUrl">Absolute; only the answer to the call's creation has one.</param>
    public static CallResponse From(CallSnapshot call, string? joinUrl = null)
    {
        var (settings, stage) = (call.Settings, call.Stage);
        int? sideTokens = call.Ended is null ? null : 0;
        return new CallResponse
        {
            CallId = settings.CallId,
            ClientVersion = call.ClientVersion,
            Created = settings.Created,
            Joined = call.Joined,
            Ended = call.Ended,
            EndReason = call.EndReason,
            BilledDuration = call.BilledDuration,
            BilledSideInputTokens = sideTokens,
            BilledSideOutputTokens = sideTokens,
            BillingStatus = BillingStatusOf(call),
            FirstSpeaker = settings.FirstSpeaker.User is null ? FirstSpeaker.Agent : FirstSpeaker.User,
            FirstSpeakerSettings = Sparse(settings.FirstSpeaker)!,
            InactivityMessages = Sparse(stage.InactivityMessages)!,
            InitialOutputMedium = settings.InitialOutputMedium,
            JoinTimeout = settings.JoinTimeout,
            JoinUrl = joinUrl,
            LanguageHint = stage.LanguageHint,
            MaxDuration = settings.MaxDuration,
            Medium = Sparse(settings.Medium)!,
            Model = stage.Model,
            RecordingEnabled = settings.RecordingEnabled,
            RetentionPolicy = settings.RetentionPolicy,
            SystemPrompt = stage.SystemPrompt,
            Temperature = stage.Temperature,
            TimeExceededMessage = stage.TimeExceededMessage,
            Voice = stage.Voice,
            ExternalVoice = Sparse(stage.ExternalVoice),
            VoiceOverrides = Sparse(stage.VoiceOverrides),
            TranscriptOptional = settings.TranscriptOptional,
            VadSettings = Sparse(stage.VadSettings),
            ShortSummary = call.ShortSummary,
            Summary = call.Summary,
            Agent = settings.AgentId is null ? null : new CallAgent(settings.AgentId, settings.AgentName ?? ""),
            AgentId = settings.AgentId,
            ExperimentalSettings = stage.ExperimentalSettings,
            Metadata = settings.Metadata,
            InitialState = settings.FirstStage.InitialState,
            RequestContext = settings.RequestContext,
            DataConnectionConfig = settings.DataConnection,
            Callbacks = settings.Callbacks,
        };
    }

    /// <summary>Nothing is charged here: "billed" means that the billed duration counts.</summary>
    private static string BillingStatusOf(CallSnapshot call) => call switch
    {
        { Ended: null } => "BILLING_STATUS_PENDING",
        { EndReason: Calls.EndReason.SystemError } => "BILLING_STATUS_FREE_SYSTEM_ERROR",
        { BilledDuration: { } billed } when billed > TimeSpan.Zero => "BILLING_STATUS_BILLED",
        _ => "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION",
    };

    public static JsonNode? Sparse<T>(T? value) => value is null ? null : JsonSerializer.SerializeToNode(value, WireJson.Sparse);
}

/// <summary><c>AgentBasic</c>.</summary>
public sealed record CallAgent(string AgentId, string Name);
