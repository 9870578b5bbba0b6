using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Validation;

namespace VoiceGrains.Gateway.Schema;

/// <summary>The description of what this server serves (OpenAPI 3.0.3), made from its own routes: what a handler takes and answers is what is said of it.</summary>
internal sealed partial class SchemaDocument(EndpointDataSource endpoints)
{
    private readonly SchemaTypes types = new();

    public JsonObject Build()
    {
        var paths = new JsonObject();
        var served = from endpoint in endpoints.Endpoints.OfType<RouteEndpoint>()
                     where endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>()?.ExcludeFromDescription != true
                     let path = PathOf(endpoint.RoutePattern)
                     where path.StartsWith("/api/", StringComparison.Ordinal)
                     from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
                     orderby path, method
                     select (path, method, endpoint);
        foreach (var (path, method, endpoint) in served)
        {
            if (paths[path] is not JsonObject operations) paths[path] = operations = [];
            operations[method.ToLowerInvariant()] = Operation(endpoint, method);
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.3",
            ["info"] = new JsonObject { ["title"] = "VoiceGrains", ["version"] = typeof(SchemaDocument).Assembly.GetName().Version!.ToString(3), ["description"] = "The Ultravox REST API, as this server speaks it." },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = types.Schemas,
                ["securitySchemes"] = new JsonObject { ["apiKeyAuth"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = ApiKeyAuthentication.Header, ["description"] = "API key" } },
            },
        };
    }

    private JsonObject Operation(RouteEndpoint endpoint, string method)
    {
        var isOpen = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
        var operation = new JsonObject
        {
            ["operationId"] = endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName,
            ["tags"] = new JsonArray([.. (endpoint.Metadata.GetMetadata<ITagsMetadata>()?.Tags ?? []).Select(tag => (JsonNode)tag)]),
        };
        if (Parameters(endpoint) is { Count: > 0 } parameters) operation["parameters"] = parameters;
        if (method is not "GET" and not "DELETE" && RequestBody(endpoint, method == "PATCH") is { } body) operation["requestBody"] = body;
        operation["security"] = new JsonArray(isOpen ? [] : new JsonObject { ["apiKeyAuth"] = new JsonArray() });
        operation["responses"] = Responses(endpoint);
        return operation;
    }

    private static JsonArray Parameters(RouteEndpoint endpoint)
    {
        var parameters = new JsonArray();
        foreach (var parameter in endpoint.RoutePattern.Parameters)
        {
            var policies = parameter.ParameterPolicies.Select(policy => policy.Content).ToList();
            var schema = policies.Contains("int") ? new JsonObject { ["type"] = "integer" } : policies.Contains("guid") ? new JsonObject { ["type"] = "string", ["format"] = "uuid" } : new JsonObject { ["type"] = "string" };
            parameters.Add((JsonNode)new JsonObject { ["in"] = "path", ["name"] = Snake(parameter.Name), ["required"] = true, ["schema"] = schema });
        }
        var handler = endpoint.Metadata.GetMetadata<MethodInfo>();
        var queries = endpoint.Metadata.GetOrderedMetadata<TakesQueryAttribute>()
            .Concat(handler?.GetParameters().Select(parameter => parameter.ParameterType.GetCustomAttribute<TakesQueryAttribute>()).OfType<TakesQueryAttribute>() ?? []);
        foreach (var text in queries.SelectMany(query => query.Parameters).Order(StringComparer.Ordinal)) parameters.Add((JsonNode)QueryParameter(text));
        return parameters;
    }

    private static JsonObject QueryParameter(string text)
    {
        var isList = text.EndsWith('*');
        var parts = text.TrimEnd('*').Split(':');
        var schema = parts.Length == 1 ? new JsonObject { ["type"] = "string" }
            : parts[1] is "integer" or "boolean" ? new JsonObject { ["type"] = parts[1] }
            : parts[1] is "object" ? new JsonObject { ["type"] = "object", ["additionalProperties"] = new JsonObject { ["type"] = "string" } }
            : parts[1] is "date" or "date-time" or "uuid" ? new JsonObject { ["type"] = "string", ["format"] = parts[1] }
            : new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. parts[1].Split('|').Select(choice => (JsonNode)choice)]) };
        return new JsonObject { ["in"] = "query", ["name"] = parts[0], ["schema"] = isList ? new JsonObject { ["type"] = "array", ["items"] = schema } : schema };
    }

    private JsonObject? RequestBody(RouteEndpoint endpoint, bool isPatch)
    {
        var content = new JsonObject();
        var bound = endpoint.Metadata.GetMetadata<MethodInfo>()?.GetParameters().Select(parameter => parameter.ParameterType)
            .FirstOrDefault(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Body<>));
        if (bound is not null) content["application/json"] = Content(types.Of(bound.GetGenericArguments()[0], isRequest: true));
        foreach (var body in endpoint.Metadata.GetOrderedMetadata<TakesBody>())
        {
            if (body.Type is { } type) content["application/json"] = Content(isPatch ? types.PartOf(type) : types.Of(type, isRequest: true));
            else content["multipart/form-data"] = Content(Form(body.Fields));
        }
        return content.Count == 0 ? null : new JsonObject { ["content"] = content };
    }

    private static JsonObject Form(IReadOnlyList<string> fields)
    {
        var properties = new JsonObject { ["file"] = new JsonObject { ["type"] = "string", ["format"] = "binary" } };
        foreach (var field in fields) properties[field.TrimEnd('!')] = new JsonObject { ["type"] = "string" };
        var required = fields.Where(field => field.EndsWith('!')).Select(field => (JsonNode)field.TrimEnd('!')).Prepend("file");
        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = new JsonArray([.. required]) };
    }

    private JsonObject Responses(RouteEndpoint endpoint)
    {
        var responses = new JsonObject();
        var told = endpoint.Metadata.GetOrderedMetadata<Answers>();
        foreach (var answer in told)
        {
            var schema = answer.Type is { } type ? types.Of(type, isRequest: false) : new JsonObject { ["type"] = "string", ["format"] = "binary" };
            if (responses[$"{answer.Status}"] is not JsonObject response) responses[$"{answer.Status}"] = response = new JsonObject { ["content"] = new JsonObject(), ["description"] = "" };
            response["content"]![answer.ContentType] = Content(schema);
        }
        foreach (var produced in endpoint.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>())
        {
            if (told.Count > 0 || produced.StatusCode >= 400) continue;
            var response = new JsonObject { ["description"] = "" };
            if (produced.Type is { } type && type != typeof(void)) response["content"] = new JsonObject { ["application/json"] = Content(types.Of(type, isRequest: false)) };
            responses[$"{produced.StatusCode}"] = response;
        }
        return responses;
    }

    private static JsonObject Content(JsonObject schema) => new() { ["schema"] = schema };

    private static string PathOf(RoutePattern pattern) => "/" + string.Join('/', pattern.PathSegments.Select(segment => segment.Parts[0] switch
    {
        RoutePatternParameterPart parameter => $"{{{Snake(parameter.Name)}}}",
        RoutePatternLiteralPart literal => literal.Content,
        _ => throw new InvalidOperationException($"The route {pattern.RawText} has a part that a description cannot hold."),
    })) + (pattern.RawText is "/api/schema/" ? "/" : "");

    private static string Snake(string name) => Upper().Replace(name, static match => "_" + match.Value.ToLowerInvariant());

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Upper();
}
