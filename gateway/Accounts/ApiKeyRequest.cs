using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Accounts;

/// <summary><c>APIKeyCreate</c>.</summary>
[ReadOnlyFields("prefix", "created", "creator", "secret", "revoked")]
internal sealed record ApiKeyRequest
{
    [StringLength(50, MinimumLength = 1)] public required string Name { get; init; }
    /// <summary>Null for never.</summary>
    public DateTimeOffset? ExpiryDate { get; init; }
}

/// <summary><c>APIKey</c> and <c>PatchedAPIKey</c>: all but one field is read-only.</summary>
[ReadOnlyFields("prefix", "created", "creator", "name", "expiryDate")]
internal sealed record ApiKeyPatch
{
    public bool? Revoked { get; init; }
}
