using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.CallMedium_WebSocketMedium</c>.</summary>
public sealed record WebSocketMedium
{
    /// <summary>Hz, 8,000 to 48,000. Required.</summary>
    [Required, Range(8_000, 48_000, ErrorMessage = "Must be between {1} and {2} Hz.")]
    public int? InputSampleRate { get; init; }
    /// <summary>Hz, 8,000 to 48,000; as the input where unset.</summary>
    [Range(8_000, 48_000, ErrorMessage = "Must be between {1} and {2} Hz.")]
    public int? OutputSampleRate { get; init; }
    /// <summary>How far ahead of real time audio is sent, ms, at most 60,000. Default 60.</summary>
    [Range(0, 60_000, ErrorMessage = "Must be between {1} and {2} ms.")]
    public int? ClientBufferSizeMs { get; init; }
    public EnabledDataMessages? DataMessages { get; init; }
    /// <summary>Ends the call when no audio came for so long; values below 10 s act as 10 s; null never.</summary>
    [DurationRange("0s", "86400s")]
    public TimeSpan? MediaIdleTimeout { get; init; }
}
