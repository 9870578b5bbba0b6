using System.Net;
using System.Text;

namespace VoiceGrains.Server.Tests.Negative;

/// <summary>Every operation, asked with requests that are wrong as HTTP or as JSON. All of them are refused, and none leaves a trace.</summary>
[Collection(NegativeCollection.Name)]
public sealed class MalformedRequestTests(NegativeHost host)
{
    private const int BodyLimit = 1 << 20;

    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"];

    private IEnumerable<ApiOperation> WithBodies => host.Operations.Where(operation => operation is { TakesJson: true, IsServed: true });

    [Fact]
    public Task AWrongMethod_405TellsTheRightOnes() => RefusedAsync(
        from route in host.Operations.GroupBy(operation => operation.Route)
        let right = route.Select(operation => operation.Method).ToHashSet()
        from method in Methods.Except(right)
        let operation = route.First()
        select new Probe(operation, operation.Path(host.Ours.Value(operation)), answer => answer.Status != 405 ? "is not 405"
            : answer.Allow.ToHashSet().SetEquals(right) ? null : $"allows {string.Join(",", answer.Allow)} instead of {string.Join(",", right)}")
        { Method = method, Key = host.Ours.Key });

    [Fact]
    public Task ABodyOfAnotherType_415() => RefusedAsync(
        from operation in WithBodies
        from type in (string[])["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json; charset=utf-16", "application/json5", "nonsense", "*/*", "application/problem+json"]
        select Ask(operation, Probe.Is(415), NegativeHost.Content("{}", type), type));

    [Fact]
    public Task ABodyInAnEncoding_415() => RefusedAsync(
        from operation in WithBodies
        from encoding in (string[])["gzip", "br", "nonsense"]
        select Ask(operation, Probe.Is(415), Encoded(encoding), encoding));

    [Fact]
    public Task ABodyThatIsTooLarge_413_WhetherItTellsItsLengthOrNot() => RefusedAsync(
        from operation in WithBodies
        from isChunked in (bool[])[false, true]
        let text = $"{{\"name\":\"{new string('x', BodyLimit)}\"}}"
        select Ask(operation, Probe.Says(413, "{\"detail\":\"Request body exceeded the limit of 1048576 bytes.\""), isChunked ? new Chunked(text) : NegativeHost.Json(text), $"chunked: {isChunked}"));

    [Fact]
    public Task ABodyThatIsNoJson_400() => RefusedAsync(
        from operation in WithBodies
        from text in HostileText.BrokenJson
        select Ask(operation, NoJson(operation), NegativeHost.Json(text), text));

    [Fact]
    public Task ABodyThatIsNoUtf8_400() => RefusedAsync(
        from operation in WithBodies
        from bytes in (byte[][])[[(byte)'"', 0xFF, (byte)'"'], [0xED, 0xA0, 0x80], [0xC0, 0x80], Encoding.Unicode.GetBytes("{}")]
        select Ask(operation, NoJson(operation), new ByteArrayContent(bytes) { Headers = { ContentType = new("application/json") } }, Convert.ToHexString(bytes)));

    [Fact]
    public Task JsonThatIsNoObject_400TellsWhatItIs() => RefusedAsync(
        from operation in WithBodies
        from top in HostileText.WrongTops
        select Ask(operation, answer => answer.Status == (operation.IsConnection ? 422 : 400) && (operation.Route.EndsWith("send_data_message", StringComparison.Ordinal) || answer.Text.Contains($"but got {top.Kind}.", StringComparison.Ordinal))
            ? null : $"is not 400 about a {top.Kind}", NegativeHost.Json(top.Json), top.Json));

    [Fact]
    public Task WhatIsUnserved_SaysSoWhateverTheBody() => RefusedAsync(
        from operation in host.Operations
        where !operation.IsServed
        from body in (string?[])[operation.TakesJson ? "{" : null, operation.TakesJson ? "{}" : null]
        select Ask(operation, answer => answer.Status == 501 && answer.Text.Contains("\"code\":\"not_implemented\"", StringComparison.Ordinal) ? null : "is not 501", body is null ? null : NegativeHost.Json(body)));

    [Fact]
    public async Task OddHeaders_ChangeNoAnswer()
    {
        (string, string)[][] all =
        [
            [("Accept", "text/html")], [("Accept", "application/xml;q=0.1, nonsense")], [("Accept", "*/*;q=abc")], [("Accept", ",,,")], [("Accept-Language", "tlh;q=9")], [("Accept-Charset", "utf-7")],
            [("Range", "bytes=9-1")], [("Cookie", "a=\"b")], [("X-HTTP-Method-Override", "DELETE")], [("X-Forwarded-Host", "evil.example\"<")], [("Content-Type", "nonsense")], [("Authorization", "Bearer x")],
        ];
        var sweep = new Sweep(host);
        await sweep.RunAsync(from operation in host.Operations
                             where operation is { Method: "GET", IsServed: true }
                             from headers in all
                             select Ask(operation, operation.IsOpen || IsPreview(operation) ? Probe.Anything : Probe.Is(200, 206, 404, 425, 416), null, headers[0].ToString()) with { Headers = headers });
        sweep.AssertClean();
    }

    [Fact]
    public async Task Head_IsGetWithoutABody_AndOptionsTellsTheMethods()
    {
        var sweep = new Sweep(host);
        var routes = host.Operations.GroupBy(operation => operation.Route).ToList();
        await sweep.RunAsync(routes.SelectMany(route => (Probe[])
        [
            Ask(route.First(), answer => route.Any(IsPreview) ? Probe.Is(400)(answer) : route.Any(operation => operation.Method == "GET") ? Found(answer) : Probe.Is(405)(answer)) with { Method = "HEAD" },
            Ask(route.First(), answer => answer.Status == 204 && answer.Allow.Contains("OPTIONS") && route.All(operation => answer.Allow.Contains(operation.Method)) ? null : "is not 204 with Allow") with { Method = "OPTIONS" },
        ]));
        sweep.AssertClean();

        static string? Found(Answer answer) => Probe.Is(200, 404, 425, 501)(answer);
    }

    [Fact]
    public async Task BodiesInChunks_AndThoseThatWaitToBeAskedFor_ArriveWhole()
    {
        var sweep = new Sweep(host);
        await sweep.RunAsync(WithBodies.SelectMany(operation => (Probe[])
        [
            Ask(operation, Unknown, new Chunked("{\"nonsense\":1}")),
            Ask(operation, Unknown, NegativeHost.Json("{\"nonsense\":1}")) with { Headers = [("Expect", "100-continue")] },
        ]));
        sweep.AssertClean();

        static string? Unknown(Answer answer)
            => answer.Status is 400 or 422 && (answer.Text.Contains("\"nonsense\":[\"Unknown field.\"]", StringComparison.Ordinal) || answer.Text.Contains("\"body\",\"nonsense\"", StringComparison.Ordinal) || answer.Text.Contains("\"type\"", StringComparison.Ordinal)) ? null : "does not tell what was sent";
    }

    private static Func<Answer, string?> NoJson(ApiOperation operation)
        => operation.IsConnection ? Probe.Says(422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"JSON parse error - ") : Probe.Says(400, "{\"detail\":\"JSON parse error - ");

    /// <summary>Of a voice whose provider is away.</summary>
    private static bool IsPreview(ApiOperation operation) => operation.Route.EndsWith("/preview", StringComparison.Ordinal);

    private Probe Ask(ApiOperation operation, Func<Answer, string?> judge, HttpContent? body = null, string note = "")
        => new(operation, operation.Path(host.Ours.Value(operation)), judge) { Key = host.Ours.Key, Body = body, Note = note };

    private async Task RefusedAsync(IEnumerable<Probe> probes)
    {
        var before = await host.SnapshotAsync();
        var sweep = new Sweep(host);
        await sweep.RunAsync(probes);
        sweep.AssertClean();
        await host.AssertUnchangedAsync(before);
    }

    private static ByteArrayContent Encoded(string encoding)
    {
        var content = NegativeHost.Json("{}");
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        return content;
    }

    /// <summary>JSON without a length, in several chunks.</summary>
    private sealed class Chunked : HttpContent
    {
        private readonly byte[] bytes;

        public Chunked(string json)
        {
            bytes = Encoding.UTF8.GetBytes(json);
            Headers.ContentType = new("application/json");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (var chunk in bytes.Chunk(Math.Max(1, bytes.Length / 3)))
            {
                await stream.WriteAsync(chunk);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
