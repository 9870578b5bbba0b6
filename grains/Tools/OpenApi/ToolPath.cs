using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>The URL of an operation: its server's, with variables at their defaults, and the path with its placeholders.</summary>
internal static partial class ToolPath
{
    private const int Longest = 2_000;

    public static IEnumerable<string> Placeholders(string path) => Placeholder().Matches(path).Select(match => match.Groups[1].Value).Distinct();

    /// <summary>The first server of the operation, else of its path, else of the document; without a slash at its end.</summary>
    /// <exception cref="OpenApiException">There is none.</exception>
    public static string ServerUrl(OpenApiDocument document, JsonObject pathItem, JsonObject operation)
    {
        var server = new[] { operation, pathItem, document.Root }
            .Select(place => place["servers"] is JsonArray { Count: > 0 } servers ? document.Resolve(servers[0]) : null).FirstOrDefault(found => found is not null);
        if (OpenApiDocument.Text(server?["url"]) is not { Length: > 0 } url) throw new OpenApiException("The document names no server: 'servers' must hold an absolute URL.");
        var variables = server!["variables"] as JsonObject ?? [];
        foreach (var name in Placeholders(url).ToList())
        {
            var value = OpenApiDocument.Text((variables[name] as JsonObject)?["default"])
                ?? throw new OpenApiException($"The server variable '{JsonLeaf.Shorten(name)}' has no default.");
            url = url.Replace($"{{{name}}}", value, StringComparison.Ordinal);
        }
        if (url.AsSpan().ContainsAny('{', '}')) throw new OpenApiException("The server's URL holds a brace that belongs to no variable.");
        if (url.Length > Longest) throw new OpenApiException($"The server's URL is longer than {Longest} characters.");
        return url.TrimEnd('/');
    }

    [GeneratedRegex(@"\{([^{}]{1,256})\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
