using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.TimedMessage</c>.</summary>
public sealed record TimedMessage
{
    [Required, DurationRange("0s", "86400s")] public TimeSpan Duration { get; init; }
    [Required] public string Message { get; init; } = "";
    public EndBehavior EndBehavior { get; init; }
}

/// <summary>What happens once a timed message was spoken.</summary>
public enum EndBehavior : byte
{
    [JsonStringEnumMemberName("END_BEHAVIOR_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("END_BEHAVIOR_HANG_UP_SOFT")] HangUpSoft = 1,
    [JsonStringEnumMemberName("END_BEHAVIOR_HANG_UP_STRICT")] HangUpStrict = 2,
}
