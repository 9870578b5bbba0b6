using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>
/// Makes tools of an OpenAPI document (3.0 or 3.1, JSON or YAML), one of each operation. The document is read as JSON and not through an object model: what a
/// tool needs of it are raw schemas, and a document from anybody must end in a bounded time with its own words of what is wrong.
/// </summary>
public static partial class OpenApiImport
{
    private const int LongestName = 40, LongestDescription = 2_000;

    /// <summary>As OpenAPI names them and a tool can use them.</summary>
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch"];

    /// <param name="file">The document.</param>
    /// <param name="mostTools">More operations are refused.</param>
    /// <exception cref="InvalidInputException">Everything that keeps an operation from becoming a tool, under <c>file</c>. Then there are no tools at all.</exception>
    public static IReadOnlyList<ToolDraft> Read(ReadOnlySpan<byte> file, int mostTools)
    {
        try
        {
            return Read(OpenApiDocument.Parse(file), mostTools);
        }
        catch (OpenApiException problem)
        {
            throw new InvalidInputException("file", problem.Message);
        }
    }

    private static List<ToolDraft> Read(OpenApiDocument document, int mostTools)
    {
        var operations = Operations(document).Take(mostTools + 1).ToList();
        if (operations.Count == 0) throw new OpenApiException("The document has no operations.");
        if (operations.Count > mostTools) throw new OpenApiException($"The document has more than {mostTools} operations.");
        var (drafts, errors, names) = (new List<ToolDraft>(), new InputErrors(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var operation in operations)
        {
            try
            {
                drafts.Add(operation.ToDraft(document, names));
            }
            catch (OpenApiException problem) when (!document.IsExhausted)
            {
                errors.Field("file").Add($"{operation.Source}: {problem.Message}");
            }
        }
        errors.ThrowIfAny();
        return drafts;
    }

    private static IEnumerable<Operation> Operations(OpenApiDocument document)
    {
        foreach (var (path, given) in document.Root["paths"] as JsonObject ?? [])
        {
            if (!path.StartsWith('/') || document.Resolve(given) is not { } item) continue;   // extensions
            foreach (var method in Methods)
                if (document.Resolve(item[method]) is { } operation) yield return new(method.ToUpperInvariant(), path, item, operation);
        }
    }

    private sealed record Operation(string Method, string Path, JsonObject Item, JsonObject Fields)
    {
        /// <summary>For messages.</summary>
        public string Source => $"{Method} {JsonLeaf.Shorten(Path)}";

        public ToolDraft ToDraft(OpenApiDocument document, HashSet<string> names)
        {
            var parameters = new OpenApiParameters(document, new OpenApiSchemas(document));
            var path = parameters.Read(Path, Item, Fields);
            var name = Name(names);
            var security = OpenApiSecurity.Read(document, Fields);
            var definition = new BaseToolDefinition
            {
                ModelToolName = name,
                Description = Description(),
                DynamicParameters = parameters.All,
                Requirements = security is null ? null : new() { HttpSecurityOptions = security },
                Http = new() { BaseUrlPattern = ToolPath.ServerUrl(document, Item, Fields) + path, HttpMethod = Method },
            };
            CheckUrl(definition.Http.BaseUrlPattern);
            var errors = new InputErrors();
            ToolDefinitionRules.Check(definition, errors);
            if (errors.Any) throw new OpenApiException(errors.ToJson().ToJsonString(GrainInterfaces.WireJson.Options));
            return new ToolDraft(name, definition) { Source = Source };
        }

        private static void CheckUrl(string url)
        {
            if (url.Contains("{{", StringComparison.Ordinal) || !new WireUrlAttribute("https", "http").IsValid(url))
                throw new OpenApiException($"'{JsonLeaf.Shorten(url)}' is no absolute http or https URL; the document's 'servers' must name one.");
        }

        private string Name(HashSet<string> taken)
        {
            var id = OpenApiDocument.Text(Fields["operationId"]) is { Length: > 0 } given ? given : $"{Method.ToLowerInvariant()}_{Path.TrimStart('/')}";
            var name = Unusable().Replace(id.Length > 256 ? id[..256] : id, "_").Trim('_');
            name = name.Length == 0 ? "operation" : name.Length > LongestName ? name[..LongestName].TrimEnd('_') : name;
            var free = name;
            for (var i = 2; !taken.Add(free); i++)
            {
                var suffix = FormattableString.Invariant($"_{i}");
                free = name[..Math.Min(name.Length, LongestName - suffix.Length)] + suffix;
            }
            return free;
        }

        private string Description()
        {
            var (summary, description) = (OpenApiDocument.Text(Fields["summary"])?.Trim() ?? "", OpenApiDocument.Text(Fields["description"])?.Trim() ?? "");
            var text = new StringBuilder(summary);
            if (description.Length > 0 && description != summary) text.Append(summary.Length > 0 ? "\n" : "").Append(description);
            if (text.Length == 0) text.Append(Method).Append(' ').Append(Path);
            if (text.Length <= LongestDescription) return text.ToString();
            var end = char.IsHighSurrogate(text[LongestDescription - 2]) ? LongestDescription - 2 : LongestDescription - 1;
            return text.ToString(0, end) + "…";
        }
    }

    [GeneratedRegex("[^a-zA-Z0-9_-]+", RegexOptions.CultureInvariant)]
    private static partial Regex Unusable();
}
