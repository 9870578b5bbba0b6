using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Synthesis.Generic;

/// <summary>What a generic voice's definition must fulfil, checked before it is stored or used.</summary>
public static class GenericVoiceRules
{
    /// <summary>The placeholder for the words to speak.</summary>
    public const string TextPlaceholder = "{text}";

    /// <summary>Headers that belong to the connection, not to the tenant.</summary>
    private static readonly HashSet<string> Forbidden = new(StringComparer.OrdinalIgnoreCase)
        { "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Trailer", "Expect", "Proxy-Authorization", "Proxy-Connection", "Keep-Alive" };

    /// <summary>Every problem, as the API's field name and what is wrong with it.</summary>
    public static IReadOnlyList<(string Field, string Problem)> FindProblems(GenericVoiceDefinition voice, OutboundGuard guard)
    {
        var problems = new List<(string, string)>();
        if (FindUrlProblem(voice.Url, guard) is { } wrong) problems.Add(("url", wrong));
        foreach (var (name, value) in voice.Headers)
        {
            if (!IsToken(name) || Forbidden.Contains(name)) problems.Add(("headers", $"Header '{name}' is not allowed."));
            else if (value.AsSpan().ContainsAny('\r', '\n', '\0')) problems.Add(("headers", $"The value of header '{name}' must not hold line breaks."));
        }
        if (!voice.Body.ToJsonString(Relaxed).Contains(TextPlaceholder, StringComparison.Ordinal)) problems.Add(("body", $"Some string in it must hold the placeholder {TextPlaceholder}."));
        if (voice.ResponseSampleRate is not 0 and (< 4_000 or > 192_000)) problems.Add(("responseSampleRate", "Must be between 4000 and 192000 Hz."));
        if (voice.ResponseWordsPerMinute is < 20 or > 1_000) problems.Add(("responseWordsPerMinute", "Must be between 20 and 1000."));
        if (voice.ResponseMimeType is { Length: > 0 } type && GenericAnswer.KindOf(type) is GenericAnswerKind.Unknown)
            problems.Add(("responseMimeType", "Must be one of audio/wav, audio/l16, audio/pcm, application/json, application/jsonl."));
        if (voice.ResponseMimeType is { Length: > 0 } json && GenericAnswer.KindOf(json) is GenericAnswerKind.Json or GenericAnswerKind.JsonLines && string.IsNullOrEmpty(voice.JsonAudioFieldPath))
            problems.Add(("jsonAudioFieldPath", "Must be set for JSON responses."));
        return problems;
    }

    /// <summary>Puts the words into every string of the body that holds the placeholder.</summary>
    internal static byte[] FillBody(JsonObject body, string text)
    {
        var filled = (JsonObject)body.DeepClone();
        Fill(filled, text);
        return JsonSerializer.SerializeToUtf8Bytes(filled, Relaxed);
    }

    private static JsonSerializerOptions Relaxed { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static void Fill(JsonNode? node, string text)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToList())
                {
                    if (Replace(value, text) is { } replaced) members[name] = replaced;
                    else Fill(value, text);
                }
                break;
            case JsonArray elements:
                for (var i = 0; i < elements.Count; i++)
                {
                    if (Replace(elements[i], text) is { } replaced) elements[i] = replaced;
                    else Fill(elements[i], text);
                }
                break;
        }
    }

    private static JsonNode? Replace(JsonNode? value, string text)
        => value is JsonValue v && v.TryGetValue<string>(out var s) && s.Contains(TextPlaceholder, StringComparison.Ordinal)
            ? JsonValue.Create(s.Replace(TextPlaceholder, text, StringComparison.Ordinal))
            : null;

    private static string? FindUrlProblem(string url, OutboundGuard guard)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https")) return "Must be an absolute http or https URL.";
        try
        {
            guard.Check(parsed);
            return null;
        }
        catch (OutboundBlockedException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>A header name (RFC 9110 §5.6.2).</summary>
    private static bool IsToken(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c));
}
