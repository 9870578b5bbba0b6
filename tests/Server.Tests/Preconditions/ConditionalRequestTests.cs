using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Preconditions;

/// <summary>ETag, If-Match and If-None-Match on agents and tools.</summary>
public sealed class ConditionalRequestTests(SiloFixture silo)
{
    private const string Nobody = "11111111-2222-3333-4444-555555555555";

    public static TheoryData<string> Kinds => new() { "agents", "tools" };

    [Theory, MemberData(nameof(Kinds))]
    public async Task ARead_HasAStrongTag_Until_ItChanges(string kind)
    {
        using var client = await silo.CreateClientAsync();
        var path = await CreateAsync(client, kind);
        var first = await TagAsync(client, path);
        Assert.Matches("^\"0-[0-9a-f]{18}\"$", first);
        Assert.Equal(first, await TagAsync(client, path));

        var (status, changed) = await WriteAsync(client, kind, path, "two");
        Assert.Equal(200, status);
        Assert.Matches("^\"1-[0-9a-f]{18}\"$", changed);
        Assert.Equal(changed, await TagAsync(client, path));    // an answer to a write is what a read says next
    }

    /// <summary>Who made a thing may change it without reading it first.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public async Task TheAnswerToItsCreation_HasTheTagThatAReadGives(string kind)
    {
        using var client = await silo.CreateClientAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{kind}") { Content = new StringContent(Body(kind, "one"), Encoding.UTF8, "application/json") };
        using var made = await client.Http.SendAsync(request, SiloFixture.Cancel);
        Assert.Equal((201, true), ((int)made.StatusCode, made.Headers.ETag is not null));
        var path = made.Headers.Location!.OriginalString;
        Assert.Equal(await TagAsync(client, path), made.Headers.ETag!.Tag);
        Assert.Equal(200, (await WriteAsync(client, kind, path, "two", made.Headers.ETag.Tag)).Status);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task IfNoneMatch_304WithoutABody_UntilItChanges(string kind)
    {
        using var client = await silo.CreateClientAsync();
        var path = await CreateAsync(client, kind);
        var tag = await TagAsync(client, path);
        foreach (var known in new[] { tag, $"W/{tag}", $"\"other\", {tag}", "*" })
        {
            using var same = await SendAsync(client, HttpMethod.Get, path, ("If-None-Match", known));
            Assert.Equal((304, tag, ""), ((int)same.StatusCode, same.Headers.ETag!.Tag, await same.Content.ReadAsStringAsync(SiloFixture.Cancel)));
        }
        foreach (var other in new[] { "\"other\"", "nonsense", "\"0-000000000000000000\"" })
            Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, path, ("If-None-Match", other)));
        Assert.Equal(304, await StatusAsync(client, HttpMethod.Head, path, ("If-None-Match", tag)));
        await WriteAsync(client, kind, path, "two");
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, path, ("If-None-Match", tag)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task IfMatch_LetsAWriteThrough_OnlyAsLongAsNobodyElseWrote(string kind)
    {
        using var client = await silo.CreateClientAsync();
        var path = await CreateAsync(client, kind);
        var tag = await TagAsync(client, path);
        Assert.Equal(200, (await WriteAsync(client, kind, path, "two", tag)).Status);
        var second = await TagAsync(client, path);

        foreach (var late in new[] { tag, $"W/{second}", "\"of another server\"", "\"\"" })
        {
            Assert.Equal(412, (await WriteAsync(client, kind, path, "three", late)).Status);
            Assert.Equal(412, await StatusAsync(client, HttpMethod.Delete, path, ("If-Match", late)));
        }
        Assert.Equal(second, await TagAsync(client, path));
        Assert.Equal(200, (await WriteAsync(client, kind, path, "three", $"{tag}, {second}")).Status);
        Assert.Equal(200, (await WriteAsync(client, kind, path, "four", "*")).Status);
        Assert.Equal(400, (await WriteAsync(client, kind, path, "five", "no quotes")).Status);
        Assert.Equal(204, await StatusAsync(client, HttpMethod.Delete, path, ("If-Match", await TagAsync(client, path))));
    }

    [Theory]
    [InlineData("agents", "PATCH")]
    [InlineData("agents", "DELETE")]
    [InlineData("tools", "PUT")]
    [InlineData("tools", "DELETE")]
    public async Task IfMatch_OnWhatIsNotThere_404_AndOnAnothersToo(string kind, string method)
    {
        using var client = await silo.CreateClientAsync();
        using var owner = await silo.CreateClientAsync();
        var theirs = await CreateAsync(owner, kind);
        foreach (var path in new[] { $"/api/{kind}/{Nobody}", theirs })
            Assert.Equal(404, await StatusAsync(client, new(method), path, ("If-Match", "\"0-0\"")));
        Assert.Equal(200, await StatusAsync(owner, HttpMethod.Get, theirs));
    }

    [Fact]
    public async Task ACall_ChangesWhatAnAgentsTagSaysOfItsStatistics_ButStopsNobodysWrite()
    {
        using var client = await silo.CreateClientAsync();
        var path = await CreateAsync(client, "agents");
        var tag = await TagAsync(client, path);
        Assert.Equal(201, (await client.PostAsync($"{path}/calls", "{}")).Status);
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, path, ("If-None-Match", tag)));
        Assert.Equal(200, (await WriteAsync(client, "agents", path, "two", tag)).Status);
    }

    /// <summary>Readers that write what they read plus one, all at once: with the tag, every addition that was let through is in the sum.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public async Task NoUpdateIsLost_HoweverManyWriteAtOnce(string kind)
    {
        const int Writers = 8;
        using var client = await silo.CreateClientAsync();
        var path = await CreateAsync(client, kind);
        var refused = 0;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async _ =>
        {
            while (true)
            {
                using var read = await SendAsync(client, HttpMethod.Get, path);
                var name = JsonDocument.Parse(await read.Content.ReadAsStringAsync(SiloFixture.Cancel)).RootElement.GetProperty("name").GetString()!;
                var count = int.TryParse(name, out var given) ? given : 0;
                var (status, _) = await WriteAsync(client, kind, path, $"{count + 1}", read.Headers.ETag!.Tag);
                if (status == 200) return;
                Assert.Equal(412, status);
                Interlocked.Increment(ref refused);
            }
        }));
        Assert.Equal($"{Writers}", (await client.GetAsync(path)).Json.GetProperty("name").GetString());
        Assert.StartsWith($"\"{Writers}-", await TagAsync(client, path), StringComparison.Ordinal);

        // One tag is good for one write.
        var tag = await TagAsync(client, path);
        var race = await Task.WhenAll(Enumerable.Range(0, Writers).Select(i => WriteAsync(client, kind, path, $"racer {i}", tag)));
        Assert.Equal([200, .. Enumerable.Repeat(412, Writers - 1)], race.Select(r => r.Status).Order());
    }

    private static async Task<string> CreateAsync(ApiClient client, string kind)
    {
        var made = await client.PostAsync($"/api/{kind}", Body(kind, "one"));
        Assert.Equal(201, made.Status);
        return $"/api/{kind}/{made.Json.GetProperty(kind == "agents" ? "agentId" : "toolId").GetString()}";
    }

    private static string Body(string kind, string name) => kind == "agents"
        ? $$"""{"name":"{{name}}"}"""
        : $$$$"""{"name":"{{{{name}}}}","definition":{"modelToolName":"look","description":"Looks.","client":{}}}""";

    private static async Task<(int Status, string? Tag)> WriteAsync(ApiClient client, string kind, string path, string name, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(kind == "agents" ? HttpMethod.Patch : HttpMethod.Put, path)
        {
            Content = new StringContent(Body(kind, name), Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        using var answer = await client.Http.SendAsync(request, SiloFixture.Cancel);
        return ((int)answer.StatusCode, answer.Headers.ETag?.Tag);
    }

    private static async Task<string> TagAsync(ApiClient client, string path)
    {
        using var answer = await SendAsync(client, HttpMethod.Get, path);
        Assert.False(answer.Headers.ETag!.IsWeak);
        return answer.Headers.ETag.Tag;
    }

    private static async Task<int> StatusAsync(ApiClient client, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var answer = await SendAsync(client, method, path, headers);
        return (int)answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(ApiClient client, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Patch || method == HttpMethod.Put)
            request.Content = new StringContent(Body(path.Split('/')[2], "x"), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await client.Http.SendAsync(request, SiloFixture.Cancel);
    }
}
