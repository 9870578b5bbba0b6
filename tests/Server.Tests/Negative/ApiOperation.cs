using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Unserved;
using VoiceGrains.Server.Tests.Contract;

namespace VoiceGrains.Server.Tests.Negative;

/// <summary>One method of one route, as the server maps it: an end point that is added is met by the whole suite.</summary>
/// <param name="Method">As in a request.</param>
/// <param name="Route">With parameters in braces, for example <c>/api/agents/{agentId}</c>.</param>
/// <param name="IsServed">False where the answer is 501.</param>
/// <param name="IsOpen">Whether it needs no key.</param>
/// <param name="Published">Its description; null for operations beside the published API.</param>
internal sealed record ApiOperation(string Method, string Route, bool IsServed, bool IsOpen, JsonObject? Published)
{
    /// <summary>Whether it is given a JSON body.</summary>
    public bool TakesJson => Method is "POST" or "PUT" or "PATCH";

    /// <summary>Of the connection API, whose errors have a form of their own: 422 for every wrong body, 401 for every wrong key.</summary>
    public bool IsConnection => Route.StartsWith("/api/v1/", StringComparison.Ordinal);

    public IReadOnlyList<string> Parameters { get; } = [.. Route.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => segment.Trim('{', '}'))];

    /// <summary>Parameters of the query: the published ones, and for what is not published those that lists have.</summary>
    public IReadOnlyList<string> QueryNames => Published is null ? ["cursor", "pageSize"] :
        [.. (Published["parameters"] as JsonArray ?? []).Where(parameter => parameter!["in"]!.GetValue<string>() == "query").Select(parameter => parameter!["name"]!.GetValue<string>())];

    public bool IsList => Method == "GET" && Published is not null && QueryNames.Contains("cursor");

    public JsonNode? BodySchema => Published?["requestBody"]?["content"]?["application/json"]?["schema"];

    /// <summary>The path with a value for each parameter, put in as it is.</summary>
    public string Path(Func<string, string> value) => string.Join('/', Route.Split('/').Select(segment => segment.StartsWith('{') ? value(segment.Trim('{', '}')) : segment));

    public override string ToString() => $"{Method} {Route}";

    public static IReadOnlyList<ApiOperation> All(IServiceProvider services) =>
    [
        .. from endpoint in services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           let route = Template(endpoint.RoutePattern)
           where route.StartsWith("/api", StringComparison.Ordinal)
           from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
           orderby route, method
           select new ApiOperation(method, route, endpoint.Metadata.GetMetadata<UnservedOperation>() is null,
               endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null && endpoint.Metadata.GetMetadata<ChecksItsOwnTokens>() is null, OpenApiContract.Find(method, route)),
    ];

    private static string Template(RoutePattern pattern) => "/" + string.Join('/', pattern.PathSegments.Select(segment => segment.Parts[0] switch
    {
        RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
        RoutePatternLiteralPart literal => literal.Content,
        var other => throw new InvalidOperationException($"'{other}' in a route is new to this suite."),
    }));
}
