using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace VoiceGrains.Grains.Signing;

/// <summary>How a receiver knows that a request is ours, whole and fresh (docs: securing webhooks).</summary>
public static class WebhookSignature
{
    public const string TimestampHeader = "X-Ultravox-Webhook-Timestamp", SignatureHeader = "X-Ultravox-Webhook-Signature";

    /// <summary>
    /// UTC without a zone: the documented verification subtracts it from a time without one, and six digits of a second are what every version of Python reads.
    /// </summary>
    public static string Timestamp(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture);

    /// <summary>One HMAC-SHA256 of body and timestamp for each secret, in lowercase hex with commas between; null without secrets.</summary>
    public static string? Sign(ReadOnlySpan<byte> body, string timestamp, IReadOnlyList<string> secrets)
    {
        if (secrets.Count == 0) return null;
        var signed = new byte[body.Length + Encoding.UTF8.GetByteCount(timestamp)];
        body.CopyTo(signed);
        Encoding.UTF8.GetBytes(timestamp, signed.AsSpan(body.Length));
        return string.Join(',', secrets.Select(secret => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed))));
    }
}
