using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Accounts;

/// <summary>How an account is known at a telephony provider, and which of its agents the provider may call.</summary>
public abstract record TelephonyConfig
{
    /// <summary>May not be set together with <see cref="CallCreationAllowAllAgents"/>.</summary>
    [MaxLength(100)] public IReadOnlyList<Guid>? CallCreationAllowedAgentIds { get; init; }
    /// <summary>Default false.</summary>
    public bool? CallCreationAllowAllAgents { get; init; }
    /// <summary>From fields of the provider's request to fields of the call's context, both dot separated.</summary>
    [MaxLength(100)] public IReadOnlyDictionary<string, string>? RequestContextMapping { get; init; }
}

/// <summary><c>TwilioConfig</c>.</summary>
[ReadOnlyFields("authTokenPrefix")]
public sealed record TwilioConfig : TelephonyConfig
{
    [Required, StringLength(100, MinimumLength = 1)] public string? AccountSid { get; init; }
    [Required, Secret, StringLength(500, MinimumLength = 1)] public string? AuthToken { get; init; }
}

/// <summary><c>TelnyxConfig</c>.</summary>
[ReadOnlyFields("apiKeyPrefix", "publicKeyPrefix")]
public sealed record TelnyxConfig : TelephonyConfig
{
    [Required, StringLength(100, MinimumLength = 1)] public string? AccountSid { get; init; }
    [Required, Secret, StringLength(500, MinimumLength = 1)] public string? ApiKey { get; init; }
    [Required, Secret, StringLength(500, MinimumLength = 1)] public string? PublicKey { get; init; }
    [Required, StringLength(40, MinimumLength = 1)] public string? ApplicationSid { get; init; }
}

/// <summary><c>PlivoConfig</c>.</summary>
[ReadOnlyFields("authTokenPrefix")]
public sealed record PlivoConfig : TelephonyConfig
{
    [Required, StringLength(100, MinimumLength = 1)] public string? AuthId { get; init; }
    [Required, Secret, StringLength(500, MinimumLength = 1)] public string? AuthToken { get; init; }
}
