using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;
using YamlDotNet.Serialization;

namespace VoiceGrains.Server.Tests.Schema;

/// <summary>The description that the server gives of itself.</summary>
public sealed class SchemaTests(SiloFixture silo)
{
    private const string Yaml = "application/vnd.oai.openapi", Json = "application/vnd.oai.openapi+json";

    [Fact]
    public async Task ItAgreesWithThePublishedOne_ButForKnownDifferences()
    {
        var comparison = new SchemaComparison(JsonNode.Parse(await GetAsync("?format=json"))!.AsObject());
        comparison.CompareAll();
        var known = KnownDifferences.All;
        var unknown = comparison.Differences.Where(difference => !known.Any(one => Regex.IsMatch(difference, one.Pattern))).ToList();
        Assert.True(unknown.Count == 0, $"{unknown.Count} differences that nobody gave a reason for:\n{string.Join('\n', unknown)}");
        Assert.Empty(known.Where(one => !comparison.Differences.Any(difference => Regex.IsMatch(difference, one.Pattern))).Select(one => one.Pattern));     // a difference that is gone leaves the list
    }

    [Fact]
    public async Task ItHasEveryPublishedOperationThatIsServed()
    {
        var document = JsonNode.Parse(await GetAsync("?format=json"))!;
        var described = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {OpenApiContract.Shape(path.Key)}")).ToHashSet();
        var served = Negative.ApiOperation.All(silo.Services).Where(operation => operation is { IsServed: true, Published: not null }).Select(operation => $"{operation.Method} {OpenApiContract.Shape(operation.Route)}");
        Assert.Empty(served.Except(described));
        Assert.Contains("GET /api/schema", described);
    }

    [Theory]
    [InlineData(null, "", Yaml)]
    [InlineData("*/*", "", Yaml)]
    [InlineData("application/json", "", "application/json")]
    [InlineData("application/yaml", "", "application/yaml")]
    [InlineData(Json, "", Json)]
    [InlineData("application/*;q=0.5, application/json;q=0.9", "", "application/json")]
    [InlineData("text/html, application/json;q=0.8, */*;q=0.1", "", "application/json")]
    [InlineData("application/json", "?format=yaml", Yaml)]
    [InlineData(null, "?format=json&lang=de", Json)]
    [InlineData("nonsense", "", Yaml)]
    public async Task TheForm_IsChosenByFormat_ElseByAccept(string? accept, string query, string type)
    {
        using var answer = await SendAsync(query, ("Accept", accept));
        Assert.Equal((200, type), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        var text = await answer.Content.ReadAsStringAsync(SiloFixture.Cancel);
        Assert.Equal(type.EndsWith("json", StringComparison.Ordinal), text.StartsWith('{'));
    }

    [Theory]
    [InlineData("text/html", "", 406)]
    [InlineData("application/json;q=0", "", 406)]
    [InlineData(null, "?format=xml", 400)]
    [InlineData(null, "?format=json&format=yaml", 400)]
    public async Task AFormThatThereIsNot_IsRefused(string? accept, string query, int status)
    {
        using var answer = await SendAsync(query, ("Accept", accept));
        Assert.Equal((status, "application/json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task BothFormsSayTheSame()
    {
        var json = JsonNode.Parse(await GetAsync("?format=json"))!;
        var yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(await GetAsync("?format=yaml"));
        var same = JsonNode.Parse(JsonSerializer.Serialize(Plain(yaml)))!;
        Assert.True(JsonNode.DeepEquals(json, same), "The YAML reads as something else than the JSON.");
    }

    [Fact]
    public async Task ItIsMadeOnce_AndCanBeKept()
    {
        using var first = await SendAsync("?format=json");
        using var again = await SendAsync("?format=json", ("If-None-Match", first.Headers.ETag!.Tag));
        Assert.Equal(304, (int)again.StatusCode);
        Assert.Equal(await GetAsync("?format=json"), await GetAsync("?format=json"));
    }

    private async Task<string> GetAsync(string query)
    {
        using var answer = await SendAsync(query);
        Assert.Equal(200, (int)answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(SiloFixture.Cancel);
    }

    private async Task<HttpResponseMessage> SendAsync(string query, params (string Name, string? Value)[] headers)
    {
        using var http = new HttpClient { BaseAddress = silo.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/schema/" + query);
        foreach (var (name, value) in headers) if (value is not null) request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request, SiloFixture.Cancel);
    }

    private static object? Plain(object? yaml) => yaml switch
    {
        IDictionary<object, object> map => map.ToDictionary(p => p.Key.ToString()!, p => Plain(p.Value)),
        IList<object> list => list.Select(Plain).ToList(),
        _ => yaml,
    };
}
