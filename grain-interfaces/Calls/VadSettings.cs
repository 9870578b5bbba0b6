using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.VadSettings</c>; null means the documented default.</summary>
public sealed record VadSettings
{
    /// <summary>Silence before the agent answers. Default 0.384 s; in steps of 32 ms, rounded up.</summary>
    [DurationRange("0s", "10s")]
    public TimeSpan? TurnEndpointDelay { get; init; }
    /// <summary>Least speech that makes a user turn. Default 0 s.</summary>
    [DurationRange("0s", "10s")]
    public TimeSpan? MinimumTurnDuration { get; init; }
    /// <summary>Least speech that interrupts the agent. Default 0.09 s; ignored below <see cref="MinimumTurnDuration"/>.</summary>
    [DurationRange("0s", "10s")]
    public TimeSpan? MinimumInterruptionDuration { get; init; }
    /// <summary>Speech probability of a frame that counts as speech, 0.1 to 1. Default 0.1.</summary>
    [Range(0.1, 1.0)]
    public double? FrameActivationThreshold { get; init; }
}
