using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Throttles;

/// <summary><c>CallThrottle</c> as it is created and replaced.</summary>
[ReadOnlyFields("throttleId", "created")]
internal sealed record ThrottleRequest
{
    [StringLength(64, MinimumLength = 1)] public required string Name { get; init; }
    [MaxLength(ThrottleRule.MostRules)] public required IReadOnlyList<ThrottleRule> Rules { get; init; }
}

/// <summary><c>PatchedCallThrottle</c>: what is not given stays.</summary>
[ReadOnlyFields("throttleId", "created")]
internal sealed record ThrottlePatch
{
    [StringLength(64, MinimumLength = 1)] public string? Name { get; init; }
    [MaxLength(ThrottleRule.MostRules)] public IReadOnlyList<ThrottleRule>? Rules { get; init; }
}

/// <summary><c>CallThrottleRule</c>: at most so many calls in any so many seconds.</summary>
internal sealed record ThrottleRule
{
    /// <summary>The published description sets no bound; each rule is one more look-up when a call is created.</summary>
    public const int MostRules = 20;

    [Range(1, 100)] public required int MaxCalls { get; init; }
    [Range(1, 86_400)] public required int WindowSeconds { get; init; }
}
