using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.Grains.Voices;

/// <summary>A voice that an account made: its words for a definition.</summary>
public sealed record OwnVoice
{
    public required Guid VoiceId { get; init; }
    /// <summary>Unique within the account, whatever its case; at most 40 characters.</summary>
    public required string Name { get; init; }
    public string? Description { get; init; }
    /// <summary>BCP 47 code.</summary>
    public string? PrimaryLanguage { get; init; }
    public required ExternalVoice Definition { get; init; }
    /// <summary>Name of the blob that the voice was cloned from; null for one made by its definition.</summary>
    public string? Sample { get; init; }
    /// <summary>It was cloned with the server's key at the provider, and speaks with that.</summary>
    public bool UsesServerKey { get; init; }
    public DateTimeOffset Created { get; init; }
}
