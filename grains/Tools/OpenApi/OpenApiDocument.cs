using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>
/// A parsed document and the way through its references. Only references into the document itself are followed, nothing is ever fetched; how much is
/// visited on the way is bounded, whatever refers to what.
/// </summary>
internal sealed class OpenApiDocument
{
    /// <summary>Nodes visited and copied while a document is imported, references followed; so much text counts as one more.</summary>
    private const int MostVisits = 500_000;

    /// <summary>Characters.</summary>
    public const int TextPerVisit = 32;

    private const int LongestName = 256;

    private const int LongestReferenceChain = 16;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    private int visits;

    private OpenApiDocument(JsonObject root) => Root = root;

    public JsonObject Root { get; }

    /// <summary>Whether more was visited than is allowed: nothing more of the document can be read.</summary>
    public bool IsExhausted => visits > MostVisits;

    /// <exception cref="OpenApiException">It is no OpenAPI 3.0 or 3.1 document in JSON or YAML.</exception>
    public static OpenApiDocument Parse(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith("\uFEFF"u8)) file = file[3..];
        if (!Utf8.IsValid(file)) throw new OpenApiException("The file is not UTF-8 text.");
        var isJson = file.TrimStart(" \t\r\n"u8) is [(byte)'{', ..];
        if ((isJson ? ReadJson(file) : YamlText.Read(System.Text.Encoding.UTF8.GetString(file))) is not JsonObject root)
            throw new OpenApiException("The file is no OpenAPI document: it must be an object in JSON or YAML.");
        CheckValues(root);
        CheckVersion(root);
        return new OpenApiDocument(root);
    }

    /// <summary>The object itself or what its <c>$ref</c> leads to; null when there is none.</summary>
    /// <exception cref="OpenApiException">The reference leads out of the document, to nothing, or in a circle.</exception>
    public JsonObject? Resolve(JsonNode? node) => Resolve(node, out _);

    /// <param name="node">An object or a reference to one.</param>
    /// <param name="reference">The reference that led to the result; null when there was none.</param>
    public JsonObject? Resolve(JsonNode? node, out string? reference)
    {
        reference = null;
        for (var hops = 0; hops <= LongestReferenceChain; hops++)
        {
            Visit();
            if (node is not JsonObject target) return null;
            if (!target.TryGetPropertyValue("$ref", out var next)) return target;
            reference = Text(next) ?? throw new OpenApiException("A '$ref' is not text.");
            node = Find(reference);
        }
        throw new OpenApiException($"The reference '{JsonLeaf.Shorten(reference!)}' leads in a circle.");
    }

    /// <summary>Counts one step of the import.</summary>
    /// <exception cref="OpenApiException">There were too many.</exception>
    public void Visit(int count = 1)
    {
        visits += count;
        if (IsExhausted) throw new OpenApiException("The document is too large once its references are followed.");
    }

    /// <summary>Counts all of a value that is about to be copied.</summary>
    public void Visit(JsonNode? value)
    {
        Visit();
        if (value is JsonObject fields)
        {
            foreach (var (name, field) in fields)
            {
                Visit(name.Length / TextPerVisit);
                Visit(field);
            }
        }
        else if (value is JsonArray items)
        {
            foreach (var item in items) Visit(item);
        }
        else if (Text(value) is { } text) Visit(text.Length / TextPerVisit);
    }

    /// <summary>A name that becomes part of a tool.</summary>
    /// <exception cref="OpenApiException">It is too long for one.</exception>
    public static string CheckName(string name)
        => name.Length <= LongestName ? name : throw new OpenApiException($"The name '{JsonLeaf.Shorten(name)}' is longer than {LongestName} characters.");

    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    public static bool IsTrue(JsonNode? node) => node?.GetValueKind() == JsonValueKind.True;

    /// <summary>A JSON pointer (RFC 6901) in a URI fragment.</summary>
    private JsonNode Find(string reference)
    {
        if (!reference.StartsWith("#/", StringComparison.Ordinal))
            throw new OpenApiException($"The reference '{JsonLeaf.Shorten(reference)}' leads out of the document; only references into it ('#/...') are followed.");
        JsonNode? node = Root;
        foreach (var part in reference[2..].Split('/', count: 32))
        {
            Visit();
            var name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            node = node switch
            {
                JsonObject fields => fields[name],
                JsonArray items when int.TryParse(name, out var index) && index >= 0 && index < items.Count => items[index],
                _ => null,
            };
        }
        return node ?? throw new OpenApiException($"The reference '{JsonLeaf.Shorten(reference)}' leads to nothing.");
    }

    private static JsonNode? ReadJson(ReadOnlySpan<byte> file)
    {
        try
        {
            return JsonNode.Parse(file, documentOptions: Strict);
        }
        catch (JsonException problem)
        {
            throw new OpenApiException($"The file is no valid JSON: {problem.Message.Split(" LineNumber:")[0]} (line {problem.LineNumber + 1}, byte {problem.BytePositionInLine})");
        }
        catch (InvalidOperationException)   // half a surrogate pair in a name, met while names are compared
        {
            throw NotText();
        }
    }

    /// <summary>JSON is read lazily: what no database could hold would only be found where it is used.</summary>
    private static void CheckValues(JsonObject root)
    {
        try
        {
            Check(root);
        }
        catch (InvalidOperationException)
        {
            throw NotText();
        }

        static void Check(JsonNode? node)
        {
            switch (node)
            {
                case JsonObject fields:
                    foreach (var (name, value) in fields)
                    {
                        if (name.Contains('\0')) throw NotText();
                        Check(value);
                    }
                    break;
                case JsonArray items:
                    foreach (var item in items) Check(item);
                    break;
                case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                    if (value.GetValue<string>().Contains('\0')) throw NotText();
                    break;
                case JsonValue value when value.GetValueKind() == JsonValueKind.Number:
                    if (!double.TryParse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
                        throw new OpenApiException("A number in the file is out of range.");
                    break;
            }
        }
    }

    private static void CheckVersion(JsonObject root)
    {
        if (root.ContainsKey("swagger")) throw new OpenApiException("Swagger 2.0 is not supported: convert the file to OpenAPI 3.0 or 3.1.");
        var version = root["openapi"] is { } given ? Text(given) ?? given.ToJsonString() : "";
        if (version is not ("3.0" or "3.1") && !version.StartsWith("3.0.", StringComparison.Ordinal) && !version.StartsWith("3.1.", StringComparison.Ordinal))
            throw new OpenApiException("The file is no OpenAPI document of version 3.0 or 3.1: its 'openapi' field says so first.");
    }

    private static OpenApiException NotText() => new("The file holds text that is not valid Unicode, or U+0000.");
}
