namespace VoiceGrains.Grains.Signing;

/// <summary>Headers by which a customer's server knows that a request comes from one of its calls, where the call has <c>sharedSecrets</c>.</summary>
internal static class CallSignature
{
    public const string CallIdHeader = "X-Ultravox-Call-ID", TimestampHeader = "X-Ultravox-Signature-Timestamp", SignatureHeader = "X-Ultravox-Signature";

    /// <summary>Signed as webhooks are: HMAC-SHA256 of the body and then the timestamp, in lowercase hex, with commas between the secrets' signatures.</summary>
    /// <param name="body">Empty where the request has none, as that which opens a WebSocket.</param>
    /// <returns>Nothing without secrets.</returns>
    public static IReadOnlyList<(string Name, string Value)> Headers(string callId, ReadOnlySpan<byte> body, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        var timestamp = WebhookSignature.Timestamp(now);
        return WebhookSignature.Sign(body, timestamp, secrets) is { } signature ? [(CallIdHeader, callId), (TimestampHeader, timestamp), (SignatureHeader, signature)] : [];
    }
}
