using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>Turns the security requirements of an operation into a tool's security options, which call requests meet by <c>authTokens</c> of the scheme's name.</summary>
internal static class OpenApiSecurity
{
    /// <exception cref="OpenApiException">No way to authenticate is one that a tool has.</exception>
    public static SecurityOptions? Read(OpenApiDocument document, JsonObject operation)
    {
        if ((operation["security"] ?? document.Root["security"]) is not JsonArray { Count: > 0 } given) return null;
        var options = given.Select(requirement => Option(document, requirement)).OfType<SecurityRequirements>().ToList();
        if (options.Count == 0) throw new OpenApiException("None of its security schemes can be used: a tool sends a key in the query or a header, or HTTP authentication.");
        return options.All(option => option.Requirements!.Count == 0) ? null : new SecurityOptions { Options = options };
    }

    /// <summary>Null when a scheme of it is nothing that a tool can send.</summary>
    private static SecurityRequirements? Option(OpenApiDocument document, JsonNode? requirement)
    {
        var requirements = new Dictionary<string, SecurityRequirement>(StringComparer.Ordinal);
        foreach (var (name, _) in requirement as JsonObject ?? [])
        {
            var scheme = document.Resolve((document.Root["components"] as JsonObject)?["securitySchemes"] is JsonObject schemes ? schemes[name] : null)
                ?? throw new OpenApiException($"The security scheme '{JsonLeaf.Shorten(name)}' is not defined.");
            if (Requirement(scheme) is not { } met) return null;
            requirements[OpenApiDocument.CheckName(name)] = met;
        }
        return new SecurityRequirements { Requirements = requirements };
    }

    private static SecurityRequirement? Requirement(JsonObject scheme)
    {
        var (type, name) = (OpenApiDocument.Text(scheme["type"]), OpenApiDocument.CheckName(OpenApiDocument.Text(scheme["name"]) ?? ""));
        return (type, OpenApiDocument.Text(scheme["in"])) switch
        {
            ("apiKey", "query") when name.Length > 0 => new() { QueryApiKey = new() { Name = name } },
            ("apiKey", "header") when name.Length > 0 => new() { HeaderApiKey = new() { Name = name } },
            ("http", _) when OpenApiDocument.Text(scheme["scheme"]) is { Length: > 0 and <= 64 } http => new() { HttpAuth = new() { Scheme = char.ToUpperInvariant(http[0]) + http[1..] } },
            ("oauth2" or "openIdConnect", _) => new() { HttpAuth = new() { Scheme = "Bearer" } },   // whoever makes the call brings the token
            _ => null,
        };
    }
}
