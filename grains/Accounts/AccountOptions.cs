using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Accounts;

/// <summary>What an account may have; section <c>Accounts</c>.</summary>
public sealed class AccountOptions
{
    /// <summary>API keys that an account may have, revoked and expired ones included: only deletion makes room. Default 100.</summary>
    [Range(1, 100_000)] public int MaxApiKeys { get; set; } = 100;
}
