using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Accounts;

/// <summary><c>PatchedSetTtsApiKeysRequest</c>: null removes a key, an absent field leaves it.</summary>
internal sealed record TtsKeysPatch
{
    private const string Printable = "^[!-~]+$", NotPrintable = "Must be printable ASCII without spaces, as the provider shows it.";

    [StringLength(500, MinimumLength = 1), RegularExpression(Printable, ErrorMessage = NotPrintable)] public string? ElevenLabs { get; init; }
    [StringLength(500, MinimumLength = 1), RegularExpression(Printable, ErrorMessage = NotPrintable)] public string? Cartesia { get; init; }
    [StringLength(500, MinimumLength = 1), RegularExpression(Printable, ErrorMessage = NotPrintable)] public string? Lmnt { get; init; }
    /// <summary>The JSON of a service account's key, as text.</summary>
    [StringLength(10_000, MinimumLength = 1)] public string? Google { get; init; }
    [StringLength(500, MinimumLength = 1), RegularExpression(Printable, ErrorMessage = NotPrintable)] public string? Inworld { get; init; }
    [StringLength(500, MinimumLength = 1), RegularExpression(Printable, ErrorMessage = NotPrintable)] public string? Respeecher { get; init; }
}

/// <summary><c>KeyPrefix</c>: all that is told of a key.</summary>
internal sealed record KeyPrefixResponse(string Prefix);
