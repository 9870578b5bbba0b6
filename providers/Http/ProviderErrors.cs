using System.Text;
using System.Text.Json;

namespace VoiceGrains.Providers.Http;

/// <summary>Providers' errors in their own words, without the key and not too long, fit for a call event.</summary>
internal static class ProviderErrors
{
    private const int MostCharacters = 500;
    private const int MostBodyBytes = 16 * 1024;

    /// <summary>What an HTTP status, or one told inside a message, says of a failure.</summary>
    public static ProviderFault FaultOf(int status) => status switch
    {
        408 or 504 => ProviderFault.TimedOut,
        429 => ProviderFault.RateLimited,
        >= 500 => ProviderFault.ServerError,
        >= 400 => ProviderFault.Rejected,
        _ => ProviderFault.BadAnswer,
    };

    /// <summary>The words in an error body: <c>error.message</c>, <c>error</c>, <c>message</c> or <c>detail</c> of JSON, else the text itself.</summary>
    public static string Read(ReadOnlySpan<byte> body, string? secret)
    {
        var text = Encoding.UTF8.GetString(body).Trim();
        try
        {
            using var document = JsonDocument.Parse(text);
            text = FindMessage(document.RootElement) ?? text;
        }
        catch (JsonException)
        {
            // Not JSON: a proxy's page, say. Its text is all there is.
        }
        return Clean(text, secret);
    }

    /// <summary>Cuts the key out and bounds the length.</summary>
    public static string Clean(string text, string? secret)
    {
        if (secret is { Length: > 0 }) text = text.Replace(secret, "***", StringComparison.Ordinal);
        return text.Length <= MostCharacters ? text : text[..MostCharacters] + "...";
    }

    /// <summary>What the server asked us to wait before a retry.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider clock)
        => response.Headers.RetryAfter is { } after ? after.Delta ?? after.Date - clock.GetUtcNow() : null;

    /// <summary>Reads what there is of an error body within <paramref name="patience"/>: the status says enough, its text is a courtesy.</summary>
    public static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, TimeSpan patience, TimeProvider clock, CancellationToken cancellationToken)
    {
        var buffer = new byte[MostBodyBytes];
        var length = 0;
        using var limit = new CancellationTokenSource(patience, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(linked.Token).ConfigureAwait(false);
            while (length < buffer.Length && await body.ReadAsync(buffer.AsMemory(length), linked.Token).ConfigureAwait(false) is var read and > 0)
                length += read;
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // As far as it came.
        }
        return buffer[..length];
    }

    private static string? FindMessage(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.String) return root.GetString();
        if (root.ValueKind != JsonValueKind.Object) return null;
        foreach (var name in (ReadOnlySpan<string>)["error", "message", "detail"])
        {
            if (root.TryGetProperty(name, out var member) && FindMessage(member) is { } message) return message;
        }
        return null;
    }
}
