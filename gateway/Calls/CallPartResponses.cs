using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Gateway.Calls;

/// <summary><c>CallStage</c>.</summary>
internal sealed record CallStageResponse
{
    public required string CallId { get; init; }
    public required string CallStageId { get; init; }
    public required DateTimeOffset Created { get; init; }
    [Shape(typeof(TimedMessage[]))] public required JsonNode InactivityMessages { get; init; }
    /// <summary>Null: tokens are counted by the model's provider, if at all.</summary>
    public int? InitialTokenCount { get; init; }
    public string? LanguageHint { get; init; }
    public int? LatestTokenCount { get; init; }
    public required string Model { get; init; }
    public string? SystemPrompt { get; init; }
    public required double Temperature { get; init; }
    public string? TimeExceededMessage { get; init; }
    public string? Voice { get; init; }
    [Shape(typeof(ExternalVoice))] public JsonNode? ExternalVoice { get; init; }
    [Shape(typeof(ExternalVoice))] public JsonNode? VoiceOverrides { get; init; }
    public required int ErrorCount { get; init; }
    public JsonNode? ExperimentalSettings { get; init; }
    [Shape(typeof(JsonObject))] public required JsonNode InitialState { get; init; }

    public static CallStageResponse From(string callId, StageRecord record)
    {
        var stage = record.Settings;
        return new CallStageResponse
        {
            CallId = callId,
            CallStageId = stage.CallStageId,
            Created = stage.Created,
            InactivityMessages = CallResponse.Sparse(stage.InactivityMessages)!,
            InitialTokenCount = record.InitialTokens,
            LanguageHint = stage.LanguageHint,
            LatestTokenCount = record.LatestTokens,
            Model = stage.Model,
            SystemPrompt = stage.SystemPrompt,
            Temperature = stage.Temperature,
            TimeExceededMessage = stage.TimeExceededMessage,
            Voice = stage.Voice,
            ExternalVoice = CallResponse.Sparse(stage.ExternalVoice),
            VoiceOverrides = CallResponse.Sparse(stage.VoiceOverrides),
            ErrorCount = record.ErrorCount,
            ExperimentalSettings = stage.ExperimentalSettings,
            InitialState = stage.InitialState,
        };
    }
}

/// <summary><c>CallTool</c>: what authenticates the tool is not shown.</summary>
internal sealed record CallToolResponse(string CallToolId, string? ToolId, string Name, [property: Shape(typeof(BaseToolDefinition))] JsonNode Definition)
{
    public static CallToolResponse From(CallTool tool) => new(tool.CallToolId, tool.ToolId, tool.Name, CallResponse.Sparse(tool.Definition)!);
}

/// <summary><c>CallTombstone</c>.</summary>
internal sealed record CallTombstoneResponse(
    string CallId, string AccountId, DateTimeOffset Created, DateTimeOffset DeletionTime, DateTimeOffset? Joined, DateTimeOffset? Ended, TimeSpan MaxDuration,
    [property: AllowedValues("unjoined", "hangup", "agent_hangup", "timeout", "connection_error", "system_error")] string? EndReason,
    bool RecordingEnabled, bool HadSummary)
{
    public static CallTombstoneResponse From(CallTombstone call) => new(
        call.CallId, call.AccountId, call.Created, call.DeletionTime, call.Joined, call.Ended,
        call.MaxDuration, call.EndReason, call.RecordingEnabled, call.HadSummary);
}

/// <summary><c>ultravox.v1.Message</c>: protobuf JSON, in which a message without words still has a text.</summary>
internal static class MessageResponse
{
    public static JsonNode From(Message message) => CallResponse.Sparse(message with { Text = message.Text ?? "" })!;
}
