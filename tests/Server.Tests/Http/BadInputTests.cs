using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Http;

/// <summary>What every route does with requests that are wrong in ways that have nothing to do with the route: the words. That each operation does is the negative suite's.</summary>
public sealed class BadInputTests(SiloFixture silo)
{
    private const string Nobody = "11111111-2222-3333-4444-555555555555";
    private const string NoKey = "/api/api_keys/Zk9Ht7Lm";

    public static TheoryData<string, string> Bodies => new()
    {
        { "POST", "/api/agents" }, { "POST", "/api/voice_preview" }, { "POST", "/api/calls" }, { "POST", "/api/tools" },
        { "PUT", $"/api/tools/{Nobody}" }, { "POST", $"/api/tools/{Nobody}/test" },
        { "POST", "/api/api_keys" }, { "PUT", NoKey }, { "PATCH", NoKey },
    };

    public static TheoryData<string, string> Unknown => new()
    {
        { "GET", $"/api/agents/{Nobody}" }, { "DELETE", $"/api/agents/{Nobody}" }, { "GET", $"/api/voices/{Nobody}" }, { "GET", $"/api/voices/{Nobody}/preview" },
        { "GET", $"/api/calls/{Nobody}" }, { "DELETE", $"/api/calls/{Nobody}" },
        { "GET", $"/api/tools/{Nobody}" }, { "DELETE", $"/api/tools/{Nobody}" }, { "GET", $"/api/tools/{Nobody}/history" }, { "POST", $"/api/tools/{Nobody}/test" },
        { "GET", NoKey }, { "PUT", NoKey }, { "PATCH", NoKey }, { "DELETE", NoKey }, { "GET", "/api/api_keys/short" }, { "GET", "/api/api_keys/%27%20or%201%3D1" },
        { "GET", "/api/agents/not-a-uuid" }, { "GET", "/api/nothing" }, { "GET", "/" },
    };

    [Theory, MemberData(nameof(Unknown))]
    public async Task WhatDoesNotExist_404(string method, string path)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.SendAsync(new(method), path);
        Assert.Equal(404, reply.Status);
        Assert.NotEmpty(reply.Json.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task AnUnknownRoute_HasDjangosWords()
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal("""{"detail":"Not found."}""", (await client.GetAsync("/api/nothing")).Text);
    }

    [Theory]
    [InlineData("PUT", "/api/agents", "GET, POST")]
    [InlineData("PUT", "/api/agents/" + Nobody, "DELETE, GET, PATCH")]
    [InlineData("PATCH", "/api/tools/" + Nobody, "DELETE, GET, PUT")]
    [InlineData("POST", NoKey, "DELETE, GET, PATCH, PUT")]
    [InlineData("POST", "/api/models", "GET")]
    [InlineData("DELETE", "/api/voices", "GET, POST")]
    [InlineData("POST", "/api/accounts/me/usage/calls", "GET")]
    public async Task AWrongMethod_405TellsTheRightOnes(string method, string path, string allowed)
    {
        using var client = await silo.CreateClientAsync();
        using var request = new HttpRequestMessage(new(method), path);
        using var reply = await client.Http.SendAsync(request, SiloFixture.Cancel);
        var body = await ApiReply.ReadAsync(reply);
        Assert.Equal((405, $"{{\"detail\":\"Method \\\"{method}\\\" not allowed.\"}}"), (body.Status, body.Text));
        Assert.Equal(allowed, string.Join(", ", reply.Content.Headers.Allow.Order(StringComparer.Ordinal)));
    }

    [Theory, MemberData(nameof(Bodies))]
    public async Task ABodyOfAnotherKind_415(string method, string path)
    {
        using var client = await silo.CreateClientAsync();
        foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "nonsense" })
        {
            var content = new ByteArrayContent("{}"u8.ToArray());
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            Assert.Equal((415, $"Unsupported media type \"{type}\" in request."), await DetailAsync(client, method, path, content));
        }
        var zipped = new MemoryStream();
        await using (var gzip = new GZipStream(zipped, CompressionMode.Compress, leaveOpen: true)) await gzip.WriteAsync("{}"u8.ToArray(), SiloFixture.Cancel);
        var compressed = new ByteArrayContent(zipped.ToArray()) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } };
        Assert.Equal(415, (await DetailAsync(client, method, path, compressed)).Status);
    }

    [Theory, MemberData(nameof(Bodies))]
    public async Task ABodyThatIsTooLarge_413_WhetherItTellsItsLengthOrNot(string method, string path)
    {
        using var client = await silo.CreateClientAsync();
        var large = Encoding.ASCII.GetBytes($$"""{"name":"{{new string('x', 1 << 20)}}"}""");
        Assert.Equal((413, "Request body exceeded the limit of 1048576 bytes."), await DetailAsync(client, method, path, Json(large)));
        Assert.Equal(413, (await DetailAsync(client, method, path, new StreamContent(new Unseekable(large)) { Headers = { ContentType = new("application/json") } })).Status);
    }

    [Theory, MemberData(nameof(Bodies))]
    public async Task ABodyThatIsNoJson_400(string method, string path)
    {
        using var client = await silo.CreateClientAsync();
        foreach (var bad in new[] { "{", "{\"a\":1,}", "nonsense", "{\"a\":1} extra", "{\"a\":1,\"a\":2}", "{\"\\ud800\":1}", new string('[', 100), "{\"a\":" + new string('[', 100) })
        {
            var (status, detail) = await DetailAsync(client, method, path, Json(Encoding.UTF8.GetBytes(bad)));
            Assert.True(status == 400 && detail.StartsWith("JSON parse error - ", StringComparison.Ordinal), $"{bad}: {status} {detail}");
        }
        Assert.Equal((400, "JSON parse error - the body is not valid UTF-8."), await DetailAsync(client, method, path, Json([(byte)'"', 0xFF, (byte)'"'])));
        Assert.Equal((400, "JSON parse error - Duplicate property 'a'."), await DetailAsync(client, method, path, Json("{\"a\":1,\"a\":2}"u8.ToArray())));
    }

    [Theory, MemberData(nameof(Bodies))]
    public async Task JsonThatIsNoObject_OrHasUnknownFields_400TellsWhich(string method, string path)
    {
        using var client = await silo.CreateClientAsync();
        foreach (var (json, kind) in new[] { ("[]", "list"), ("null", "null"), ("1", "int"), ("\"x\"", "str"), ("true", "bool") })
        {
            var reply = await client.SendAsync(new(method), path, json);
            Assert.Equal((400, $$"""{"non_field_errors":["Invalid data. Expected a dictionary, but got {{kind}}."]}"""), (reply.Status, reply.Text));
        }
        var unknown = await client.SendAsync(new(method), path, """{"nonsense":1,"more":{}}""");
        Assert.Equal(400, unknown.Status);
        Assert.Equal("[\"Unknown field.\"]", unknown.Json.GetProperty("nonsense").GetRawText());
        Assert.Equal("[\"Unknown field.\"]", unknown.Json.GetProperty("more").GetRawText());
    }

    [Theory]
    [InlineData("/api/agents")]
    [InlineData("/api/voices")]
    [InlineData("/api/models")]
    [InlineData("/api/calls")]
    [InlineData("/api/tools")]
    [InlineData("/api/api_keys")]
    public async Task ACursorThatIsNone_404(string path)
    {
        using var client = await silo.CreateClientAsync();
        foreach (var cursor in new[] { "x", "!!!", "WzFd", "bnVsbA", new string('A', 3000), Forged("-created", "f", "not a time", "x"), Forged("-created", "f", "2026-01-01", "x", "y"), Forged("created", "f", "2026-01-01", "x") })
        {
            var reply = await client.GetAsync($"{path}?cursor={Uri.EscapeDataString(cursor)}");
            Assert.True(reply.Status is 404 or 400, $"{cursor}: {reply.Status} {reply.Text}");
        }
    }

    private static string Forged(params string[] parts)
        => System.Buffers.Text.Base64Url.EncodeToString(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(parts));

    private static ByteArrayContent Json(byte[] bytes) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static ByteArrayContent Json(string text) => Json(Encoding.UTF8.GetBytes(text));

    private static async Task<(int Status, string Detail)> DetailAsync(ApiClient client, string method, string path, HttpContent content)
    {
        var reply = await SendAsync(client.Http, method, path, content);
        return (reply.Status, reply.Json.GetProperty("detail").GetString()!);
    }

    private static async Task<ApiReply> SendAsync(HttpClient http, string method, string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(new(method), path) { Content = method is "GET" or "DELETE" ? null : content };
        using var reply = await http.SendAsync(request, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(reply);
    }

    /// <summary>Sent in chunks, without a Content-Length.</summary>
    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
