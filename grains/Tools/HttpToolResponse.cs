using System.Text;
using System.Text.Json.Nodes;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>Reads the response of an HTTP tool: the body is the result, headers may steer the call.</summary>
internal static class HttpToolResponse
{
    private const string ResponseType = "X-Ultravox-Response-Type";
    private const string AgentReaction = "X-Ultravox-Agent-Reaction";
    private const string CallState = "X-Ultravox-Update-Call-State";
    /// <summary>Characters of an error's body that the model is told.</summary>
    private const int LongestReason = 1000;

    /// <summary>Reads no further than the limit, however long the server goes on.</summary>
    public static async Task<ToolOutcome> ReadAsync(HttpResponseMessage response, int mostBytes, CancellationToken cancellationToken)
    {
        var (body, isWhole) = await ReadBodyAsync(response.Content, mostBytes, cancellationToken);
        var (text, isText, warning) = Decode(response.Content, body);
        if (!response.IsSuccessStatusCode) return Refused(response, isText ? text : "", isText);
        if (!isWhole) return ToolOutcome.Failed($"The tool's response is too long: more than {mostBytes} bytes.");
        if (!isText) return ToolOutcome.Failed($"The tool answered with {MediaType(response.Content)}, which is no text.");
        return Steer(response, text, warning);
    }

    private static async Task<(ReadOnlyMemory<byte> Body, bool IsWhole)> ReadBodyAsync(HttpContent content, int mostBytes, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[Math.Min(mostBytes + 1, 8 * 1024)];
        while (body.Length <= mostBytes)
        {
            var read = await stream.ReadAsync(buffer, cancellationToken);
            if (read == 0) return (body.GetBuffer().AsMemory(0, (int)body.Length), true);
            body.Write(buffer, 0, read);
        }
        return (body.GetBuffer().AsMemory(0, mostBytes), false);
    }

    /// <summary>UTF-8 unless the server names another encoding that is known here. What is not valid in it is replaced, and told of.</summary>
    private static (string Text, bool IsText, string? Warning) Decode(HttpContent content, ReadOnlyMemory<byte> body)
    {
        if (MediaType(content) is { } type && !IsTextual(type)) return ("", body.IsEmpty, null);
        var encoding = EncodingOf(content.Headers.ContentType?.CharSet);
        var bytes = body.Span;
        if (encoding is UTF8Encoding && bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        var text = encoding.GetString(bytes);
        if (text.Contains('\0')) return ("", false, null);
        if (text.Contains('\uFFFD')) return (text, true, $"The response is not valid {encoding.WebName}; what cannot be read is replaced.");
        if (MediaType(content) == "text/html") return (text, true, "The response is an HTML page; the model reads plain text or JSON better.");
        return (text, true, null);
    }

    private static ToolOutcome Steer(HttpResponseMessage response, string text, string? warning)
    {
        var (type, reaction) = (Header(response, ResponseType)?.ToLowerInvariant(), Header(response, AgentReaction));
        var warnings = new List<string>();
        if (warning is not null) warnings.Add(warning);
        if (type is not (null or "" or "tool-response" or "hang-up" or "new-stage")) warnings.Add($"The header {ResponseType} is unknown: '{JsonLeaf.Shorten(type)}'; the response is taken as a plain one.");
        if (reaction is not null && ToolSchema.ReadReaction(reaction) is null) warnings.Add($"The header {AgentReaction} is unknown: '{JsonLeaf.Shorten(reaction)}'; the tool's default holds.");
        var state = ReadState(Header(response, CallState), warnings);
        return new ToolOutcome(text.Length > 0 || type == "new-stage" ? text : "The tool succeeded; it returned nothing.")
        {
            Reaction = ToolSchema.ReadReaction(reaction),
            HangsUp = type == "hang-up",
            NewStage = type == "new-stage" ? text : null,
            UpdateCallState = state,
            Warning = warnings.Count > 0 ? string.Join(" ", warnings) : null,
        };
    }

    /// <summary>The model is told what it did wrong (4xx), but nothing of the inside of a server that failed.</summary>
    private static ToolOutcome Refused(HttpResponseMessage response, string text, bool isText)
    {
        var status = (int)response.StatusCode;
        var reason = status is >= 400 and < 500 && text.Length > 0 && MediaType(response.Content) != "text/html" ? $": {(text.Length <= LongestReason ? text : text[..LongestReason] + "…")}" : ".";
        return ToolOutcome.Failed($"The tool answered with status {status}{reason}", $"HTTP error: {status} Response:{(isText ? text : MediaType(response.Content))}");
    }

    private static JsonObject? ReadState(string? header, List<string> warnings)
    {
        if (header is null) return null;
        if (JsonText.TryReadObject(header) is { } state) return state;
        warnings.Add($"The header {CallState} is not a JSON object; the call state stays as it is.");
        return null;
    }

    private static string? MediaType(HttpContent content) => content.Headers.ContentType?.MediaType?.ToLowerInvariant();

    private static bool IsTextual(string type)
        => type.StartsWith("text/", StringComparison.Ordinal) || type.StartsWith("application/", StringComparison.Ordinal)
            && (type.EndsWith("json", StringComparison.Ordinal) || type.EndsWith("xml", StringComparison.Ordinal) || type.EndsWith("yaml", StringComparison.Ordinal)
                || type is "application/javascript" or "application/x-www-form-urlencoded" or "application/x-ndjson");

    private static Encoding EncodingOf(string? charset)
    {
        try
        {
            return charset is null ? Encoding.UTF8 : Encoding.GetEncoding(charset.Trim('"'));
        }
        catch (ArgumentException)
        {
            return Encoding.UTF8;
        }
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault()?.Trim() : null;
}
