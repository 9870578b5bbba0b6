using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Signing;

/// <summary>JSON Web Tokens in the one form that is used here: compact, signed with HS256 (RFC 7519, RFC 7515 §3.1).</summary>
internal static class JsonWebToken
{
    /// <summary>Longer ones are refused unread, characters.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>How far the clocks of those who issue and check may be apart, as LiveKit allows.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromMinutes(1);

    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    public static string Create(JsonObject claims, ReadOnlySpan<byte> key)
    {
        var signed = $"{Header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        return $"{signed}.{Base64Url.EncodeToString(Sign(signed, key))}";
    }

    /// <summary>Looks at the signature before anything else, in the same time wherever it differs; then at <c>exp</c>, which must be there, and <c>nbf</c>. Never throws.</summary>
    /// <param name="token">From anybody.</param>
    /// <param name="claims">Of a token that holds now.</param>
    /// <param name="fault">Why it does not.</param>
    public static bool TryVerify(string token, ReadOnlySpan<byte> key, DateTimeOffset now, [NotNullWhen(true)] out JsonObject? claims, out TokenFault fault)
    {
        (claims, fault) = (null, TokenFault.Malformed);
        if (token.Length > MaxLength || token.Split('.') is not [var header, var payload, var signature]) return false;
        if (!IsHs256(header) || Decode(signature) is not { } given) return false;
        fault = TokenFault.WrongSignature;
        if (!CryptographicOperations.FixedTimeEquals(Sign($"{header}.{payload}", key), given)) return false;
        fault = TokenFault.Malformed;
        if (Read(payload) is not { } read || Seconds(read, "exp") is not { } expires) return false;
        fault = TokenFault.Expired;
        if (now >= expires + Leeway) return false;
        fault = TokenFault.NotYetValid;
        if (read["nbf"] is not null && (Seconds(read, "nbf") is not { } notBefore || now < notBefore - Leeway)) return false;
        (claims, fault) = (read, TokenFault.None);
        return true;
    }

    /// <summary>The token says its own algorithm: only ours is believed, above all not <c>none</c> (RFC 8725 §3.1).</summary>
    private static bool IsHs256(string header) => Read(header) is { } fields && Text(fields, "alg") == "HS256" && !fields.ContainsKey("crit");

    public static string? Text(JsonObject claims, string name) => claims[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static DateTimeOffset? Seconds(JsonObject claims, string name)
        => claims[name] is JsonValue value && value.TryGetValue<double>(out var seconds) && seconds is >= 0 and < 253_402_300_700 ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;

    private static JsonObject? Read(string part)
    {
        try
        {
            return Decode(part) is { } json ? JsonNode.Parse(json, documentOptions: Strict) as JsonObject : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[]? Decode(string part)
    {
        try
        {
            return Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static byte[] Sign(string signed, ReadOnlySpan<byte> key) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed));
}

/// <summary>Why a token does not hold.</summary>
public enum TokenFault : byte { None, Malformed, WrongSignature, Expired, NotYetValid }
