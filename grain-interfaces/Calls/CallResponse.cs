using System.Text.Json;
using System.Text.Json.Nodes;

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
    public required string BillingStatus { get; init; }
    public required FirstSpeaker FirstSpeaker { get; init; }
    public required JsonNode FirstSpeakerSettings { get; init; }
    public required JsonNode InactivityMessages { get; init; }
    public required MessageMedium InitialOutputMedium { get; init; }
    public required TimeSpan JoinTimeout { get; init; }
    public string? JoinUrl { get; init; }
    public string? LanguageHint { get; init; }
    public required TimeSpan MaxDuration { get; init; }
    public required JsonNode Medium { get; init; }
    public required string Model { get; init; }
    public required bool RecordingEnabled { get; init; }
    public string? RetentionPolicy { get; init; }
    public string? SystemPrompt { get; init; }
    public required double Temperature { get; init; }
    public string? TimeExceededMessage { get; init; }
    public string? Voice { get; init; }
    public JsonNode? ExternalVoice { get; init; }
    public JsonNode? VoiceOverrides { get; init; }
    public required bool TranscriptOptional { get; init; }
    public JsonNode? VadSettings { get; init; }
    public string? ShortSummary { get; init; }
    public string? Summary { get; init; }
    public CallAgent? Agent { get; init; }
    public string? AgentId { get; init; }
    public JsonNode? ExperimentalSettings { get; init; }
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }
    public required JsonNode InitialState { get; init; }
    public JsonNode? RequestContext { get; init; }
    public JsonNode? DataConnectionConfig { get; init; }
    public JsonNode? Callbacks { get; init; }
    /// <summary>Always null: no call is a SIP call yet.</summary>
    public JsonNode? SipDetails => null;

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
