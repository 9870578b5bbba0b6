using System.Text;
using System.Text.Json.Nodes;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>One request.</summary>
/// <param name="What">What is special about it.</param>
/// <param name="Path">Where it goes; may make the object that it is about.</param>
/// <param name="Query">With its question mark; may be empty.</param>
/// <param name="Json">The body; null for none.</param>
/// <param name="Refused">The field that its refusal must name; null when it must be accepted.</param>
internal sealed record ConformanceCase(string What, Func<Task<string>> Path, string Query = "", string? Json = null, IReadOnlyList<string>? Refused = null)
{
    /// <summary>Takes the place of <see cref="Json"/>.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>All requests of an operation that is served.</summary>
    public static IEnumerable<ConformanceCase> Of(PublishedOperation operation, ConformanceWorld world, Samples samples)
    {
        var paths = world.Paths(operation);
        if (operation.Body is { } body)
        {
            var schema = RequestSchema.Of(body, operation.Path);
            foreach (var (value, number) in samples.Valid(schema).Select((value, number) => (value, number)))
                yield return new($"valid body {number}", paths[number % paths.Count], Json: samples.ToJson(value));
            foreach (var violation in samples.Invalid(schema))
                yield return new($"{string.Join('.', violation.Path)}: {violation.Rule}", paths[0], Json: samples.ToJson(violation.Value), Refused: violation.Path);
        }
        else
        {
            foreach (var path in paths) yield return new("plain", path);
        }
        foreach (var special in Special(operation, paths[0])) yield return special;
        foreach (var query in Queries(operation, samples))
            yield return new(query.What, paths[^1], query.Text, operation.Body is null ? null : "{}", query.Refused);
        if (operation.Query.Any(parameter => parameter.Name == "cursor")) yield return new("the page after the first", () => NextPageAsync(world, paths[^1]));
    }

    private static IEnumerable<(string What, string Text, IReadOnlyList<string>? Refused)> Queries(PublishedOperation operation, Samples samples)
    {
        var parameters = (from parameter in operation.Query
                          where parameter.Name != "cursor"
                          let schema = RequestSchema.Of(RequestSchema.Of(parameter.Schema, "?" + parameter.Name), $"{operation.Path}?{parameter.Name}")
                          select (parameter.Name, Schema: schema, Valid: samples.Valid(schema).Where(value => value is not null).ToList())).ToList();
        var most = parameters.Count == 0 ? 0 : parameters.Max(parameter => parameter.Valid.Count);
        for (var turn = 0; turn < most; turn++)
            yield return ($"valid parameters {turn}", "?" + string.Join('&', parameters.Where(p => p.Valid.Count > 0).Select(p => Text(p.Name, p.Valid[turn % p.Valid.Count]!))), null);
        foreach (var (name, schema, valid) in parameters.Where(parameter => parameter.Valid.Count > 0))
            foreach (var violation in samples.Invalid(schema))
                if (violation.Rule != "type" || (string?)schema["type"] is "integer" or "number" or "boolean")
                    yield return ($"{name}: {violation.Rule}", "?" + Text(name, violation.Value!), [name]);
    }

    private static string Text(string name, JsonNode value) => value switch
    {
        JsonArray list => string.Join('&', list.Select(item => $"{name}={Escaped(item!)}")),
        JsonObject map => string.Join('&', map.Select(entry => $"{name}.{Uri.EscapeDataString(entry.Key)}={Escaped(entry.Value!)}")),
        _ => $"{name}={Escaped(value)}",
    };

    private static string Escaped(JsonNode value) => Uri.EscapeDataString(value.GetValueKind() == System.Text.Json.JsonValueKind.String ? (string)value! : value.ToJsonString());

    private static async Task<string> NextPageAsync(ConformanceWorld world, Func<Task<string>> path)
    {
        var first = (await world.Api.GetAsync(await path() + "?pageSize=1")).Json;
        return first.GetProperty("next").GetString() is { } next ? new Uri(next).PathAndQuery : await path();
    }

    /// <summary>Bodies that are no JSON.</summary>
    private static IEnumerable<ConformanceCase> Special(PublishedOperation operation, Func<Task<string>> path)
    {
        switch (operation.Id)
        {
            case "POST /api/tools":
                yield return new("an OpenAPI file", path) { Content = () => File("tools.json", "application/json", Encoding.UTF8.GetBytes(ToolFile)) };
                yield return new("no file", path, Refused: ["file"]) { Content = () => new MultipartFormDataContent { { new StringContent("x"), "other" } } };
                break;
            case "POST /api/voices":
                yield return new("no sample", path, Refused: ["file"]) { Content = () => new MultipartFormDataContent { { new StringContent("x"), "name" } } };
                yield return new("a sample without a name", path, Refused: ["name"]) { Content = () => File("sample.wav", "audio/wav", "RIFF"u8.ToArray()) };
                break;
        }
    }

    private static MultipartFormDataContent File(string name, string type, byte[] bytes)
        => new() { { new ByteArrayContent(bytes) { Headers = { ContentType = new(type) } }, "file", name } };

    private const string ToolFile = """
        {"openapi":"3.0.0","info":{"title":"Shop","version":"1"},"servers":[{"url":"https://shop.example.com"}],
         "paths":{"/orders/{id}":{"get":{"operationId":"getOrder","description":"Reads an order.","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"It"}}}}}}
        """;
}
