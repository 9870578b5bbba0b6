using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using YamlDotNet.Serialization;

namespace VoiceGrains.Gateway.Schema;

/// <summary>The API's description of itself, for everyone. Made once, when it is first asked for: routes do not change.</summary>
internal sealed class SchemaEndpoints(EndpointDataSource endpoints)
{
    private const string Yaml = "application/vnd.oai.openapi", PlainYaml = "application/yaml", Json = "application/vnd.oai.openapi+json", PlainJson = "application/json";

    /// <summary>As offered; the first is what a client gets that takes anything.</summary>
    private static readonly string[] Offered = [Yaml, PlainYaml, Json, PlainJson];

    private readonly Lazy<(byte[] Json, byte[] Yaml, string Tag)> made = new(() => Write(new SchemaDocument(endpoints).Build()));

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoint = routes.MapGet("/api/schema/", static (HttpContext context, SchemaEndpoints schema) => schema.AnswerAsync(context))
            .AllowAnonymous().WithTags("schema").WithName("GetSchema").TakesQuery("format:json|yaml", "lang");
        foreach (var type in Offered) endpoint.WithMetadata(new Answers(200, typeof(Dictionary<string, object>), type));
    }

    /// <summary>By <c>format</c>, else by <c>Accept</c>. The words are English in every <c>lang</c>.</summary>
    private Task AnswerAsync(HttpContext context)
    {
        QueryText.Read(context.Request.Query, "lang", maxLength: 35);
        var type = QueryText.ReadChoice(context.Request.Query, "format", "json", "yaml") switch
        {
            "json" => Json,
            "yaml" => Yaml,
            _ => Negotiate(context.Request),
        };
        if (type is null)
            return ErrorBody.WriteAsync(context, HttpErrors.NotAcceptable, "Could not satisfy the request Accept header.");
        var isJson = type is Json or PlainJson;
        var headers = context.Response.Headers;
        headers.ETag = $"\"{made.Value.Tag}-{(isJson ? "json" : "yaml")}\"";
        headers.Vary = "Accept";
        headers.CacheControl = "public, max-age=300";
        if (context.Request.Headers.IfNoneMatch.ToString() == headers.ETag.ToString())
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        var body = isJson ? made.Value.Json : made.Value.Yaml;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>The best of what is offered by the client's weights; null when it takes none. A header that is none is as good as absent.</summary>
    private static string? Negotiate(HttpRequest request)
    {
        if (request.Headers.Accept.Count == 0 || !MediaTypeHeaderValue.TryParseList([.. request.Headers.Accept.OfType<string>()], out var accepted)) return Yaml;
        var best = Offered.Select(type => (Type: type, Weight: Weight(type, accepted))).Where(offer => offer.Weight > 0).OrderByDescending(offer => offer.Weight).FirstOrDefault();
        return best.Type;
    }

    /// <summary>That of the most specific range that the type is in (RFC 9110 §12.5.1).</summary>
    private static double Weight(string type, IList<MediaTypeHeaderValue> accepted)
    {
        // Not IsSubsetOf: to it, application/json takes in whatever ends in +json.
        var range = accepted.FirstOrDefault(one => one.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase))
            ?? accepted.FirstOrDefault(static one => one.MediaType.Equals("application/*", StringComparison.OrdinalIgnoreCase)) ?? accepted.FirstOrDefault(static one => one.MatchesAllTypes);
        return range is null ? 0 : range.Quality ?? 1;
    }

    private static (byte[] Json, byte[] Yaml, string Tag) Write(JsonObject document)
    {
        var json = Encoding.UTF8.GetBytes(document.ToJsonString(WireJson.Options));
        var yaml = new SerializerBuilder().WithQuotingNecessaryStrings().DisableAliases().Build().Serialize(Plain(document)!);
        return (json, Encoding.UTF8.GetBytes(yaml), Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(..9)));
    }

    private static object? Plain(JsonNode? node) => node switch
    {
        JsonObject fields => fields.ToDictionary(field => field.Key, field => Plain(field.Value)),
        JsonArray items => items.Select(Plain).ToList(),
        JsonValue value => value.GetValueKind() switch
        {
            System.Text.Json.JsonValueKind.String => value.GetValue<string>(),
            System.Text.Json.JsonValueKind.True => true,
            System.Text.Json.JsonValueKind.False => false,
            _ => decimal.Parse(value.ToJsonString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture),
        },
        _ => null,
    };
}
