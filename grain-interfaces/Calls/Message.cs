using System.Text.Json.Nodes;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.Message</c>: one entry of a call's history.</summary>
public sealed record Message
{
    public MessageRole Role { get; init; }
    /// <summary>Words for user and agent, the arguments (JSON) for a tool call, the result for a tool result.</summary>
    public string? Text { get; init; }
    public string? InvocationId { get; init; }
    public string? ToolName { get; init; }
    /// <summary>Full details of a failed tool call; shown over REST only, never to the model.</summary>
    public string? ErrorDetails { get; init; }
    public MessageMedium Medium { get; init; }
    /// <summary>Position within the call stage, from 0.</summary>
    public int CallStageMessageIndex { get; init; }
    public string? CallStageId { get; init; }
    /// <summary>The new call state where the message changed it.</summary>
    public JsonObject? CallState { get; init; }
    /// <summary>By the input audio stream, relative to the call's start; null on initial messages.</summary>
    public InCallTimespan? Timespan { get; init; }
    /// <summary>By the wall clock, relative to the join; null on initial messages.</summary>
    public InCallTimespan? WallClockTimespan { get; init; }
    public JsonObject? Metadata { get; init; }
}

/// <summary><c>ultravox.v1.InCallTimespan</c>.</summary>
public sealed record InCallTimespan(TimeSpan Start, TimeSpan End);
