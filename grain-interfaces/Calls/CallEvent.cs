using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>One entry of a call's event log.</summary>
/// <param name="CallTimestamp">Since the join by the input audio stream.</param>
/// <param name="WallClockTimestamp">Since the join by the wall clock; null before it.</param>
/// <param name="Type">At most 50 characters, for example <c>turn_latency</c>.</param>
public sealed record CallEvent(
    string CallId, string CallStageId, TimeSpan CallTimestamp, Severity Severity, string Type, string Text, JsonObject? Extras, TimeSpan? WallClockTimestamp);

/// <summary>Ordered: a filter by minimum severity compares them.</summary>
public enum Severity : byte
{
    [JsonStringEnumMemberName("debug")] Debug = 0,
    [JsonStringEnumMemberName("info")] Info = 1,
    [JsonStringEnumMemberName("warning")] Warning = 2,
    [JsonStringEnumMemberName("error")] Error = 3,
}
