using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Gateway.Accounts;

/// <summary><c>Authorization: Bearer</c> (RFC 6750 §2.1).</summary>
internal static class BearerToken
{
    public const string Scheme = "Bearer";

    /// <summary>Null without one, and for any other scheme.</summary>
    public static string? Of(HttpRequest request)
        => request.Headers.Authorization is [{ } text] && text.StartsWith(Scheme + " ", StringComparison.OrdinalIgnoreCase) && text[(Scheme.Length + 1)..].Trim() is { Length: > 0 } token ? token : null;
}
