using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Gateway.Grpc.V1;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>What no gRPC library would send, over raw HTTP/2.</summary>
public sealed class GrpcWireTests(GrpcSilo silo)
{
    private static readonly byte[] Message = Frame(new ListAgentsRequest { PageSize = 1 }.ToByteArray());

    [Theory]
    [InlineData("", 13)]                            // no message
    [InlineData("00000000", 13)]                    // a cut prefix
    [InlineData("0000000005AA", 13)]                // a cut message
    [InlineData("0700000000", 13)]                  // neither compressed nor not
    [InlineData("00FFFFFFFF", 8)]                   // 4 GiB
    [InlineData("0000400001", 8)]                   // one byte above the limit
    [InlineData("00000000000000000000", 13)]        // two messages
    [InlineData("0000000003FFFFFF", 13)]            // no protobuf
    [InlineData("0100000000", 13)]                  // compressed by nothing
    public async Task BrokenFrames_GetAStatus(string hex, int status)
    {
        using var reply = await SendAsync(Convert.FromHexString(hex));
        Assert.Equal((HttpStatusCode.OK, $"{status}"), (reply.StatusCode, Status(reply)));
    }

    [Fact]
    public async Task Gzip_IsUnpackedWithinTheLimit_AndSentBack()
    {
        using (var reply = await SendAsync(Frame(Gzip(new ListAgentsRequest { PageSize = 1 }.ToByteArray()), 1), r => Add(r, "grpc-encoding", "gzip")))
            Assert.Equal("0", Status(reply));
        using (var reply = await SendAsync(Frame(Gzip(new byte[100 << 20]), 1), r => Add(r, "grpc-encoding", "gzip")))      // 100 MiB in 100 KiB
            Assert.Equal("8", Status(reply));
        using (var reply = await SendAsync(Frame([1, 2, 3], 1), r => Add(r, "grpc-encoding", "gzip")))
            Assert.Equal("13", Status(reply));
        using (var reply = await SendAsync(Message, r => Add(r, "grpc-encoding", "br")))
        {
            Assert.Equal("12", Status(reply));
            Assert.Equal("identity,gzip", Assert.Single(reply.Headers.GetValues("grpc-accept-encoding")));
        }
    }

    [Theory]
    [InlineData("gzip", 1)]
    [InlineData("identity, gzip", 1)]
    [InlineData("identity", 0)]
    [InlineData(null, 0)]
    public async Task LongAnswers_AreCompressedForThoseWhoTakeIt(string? accepted, byte flag)
    {
        using var api = await silo.CreateClientAsync();
        await api.PostAsync("/api/agents", new { name = "long", callTemplate = new { systemPrompt = new string('a', 5_000) } });
        using var reply = await SendAsync(Message, r => { if (accepted is not null) Add(r, "grpc-accept-encoding", accepted); }, key: api.Key);
        var body = await reply.Content.ReadAsByteArrayAsync(SiloFixture.Cancel);
        Assert.Equal(("0", flag), (Status(reply), body[0]));
        Assert.Equal(flag == 1, reply.Headers.TryGetValues("grpc-encoding", out _));
        var payload = flag == 1 ? Gunzip(body[5..]) : body[5..];
        Assert.Equal("long", Assert.Single(ListAgentsResponse.Parser.ParseFrom(payload).Results).Name);
    }

    [Theory]
    [InlineData("1", 13)]
    [InlineData("5s", 13)]
    [InlineData("0n", 4)]
    [InlineData("10S", 0)]
    public async Task TheTimeout_IsReadOrRefused(string timeout, int status)
    {
        using var reply = await SendAsync(Message, r => Add(r, "grpc-timeout", timeout));
        Assert.Equal($"{status}", Status(reply));
    }

    [Fact]
    public async Task WhatIsNoGrpc_IsAnsweredInHttp()
    {
        using (var reply = await SendAsync(Message, r => r.Content!.Headers.ContentType = new("application/grpc+json")))
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, reply.StatusCode);
        using (var reply = await SendAsync(Message, r => r.Method = HttpMethod.Put))
            Assert.Equal(HttpStatusCode.MethodNotAllowed, reply.StatusCode);
        using (var reply = await SendAsync(Message, r => (r.Version, r.RequestUri) = (HttpVersion.Version11, new Uri(silo.Address, r.RequestUri!.AbsolutePath))))
            Assert.Equal(HttpStatusCode.UpgradeRequired, reply.StatusCode);
        using (var api = await silo.CreateClientAsync())
        using (var request = new HttpRequestMessage(HttpMethod.Get, new Uri(silo.GrpcAddress, "/api/agents")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact })
        using (var rest = await api.Http.SendAsync(request, SiloFixture.Cancel))
            Assert.Equal(HttpStatusCode.OK, rest.StatusCode);       // REST works over HTTP/2 as well
    }

    [Fact]
    public async Task ARefusal_IsTrailersOnly()
    {
        using var reply = await SendAsync(Message, key: "none");
        Assert.Equal("16", Assert.Single(reply.Headers.GetValues("grpc-status")));
        Assert.Empty(reply.TrailingHeaders);
        Assert.Empty(await reply.Content.ReadAsByteArrayAsync(SiloFixture.Cancel));
    }

    private async Task<HttpResponseMessage> SendAsync(byte[] body, Action<HttpRequestMessage>? change = null, string? key = null)
    {
        using var api = await silo.CreateClientAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(silo.GrpcAddress, "/voicegrains.v1.Agents/List"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        Add(request, "x-api-key", key ?? api.Key);
        Add(request, "te", "trailers");
        change?.Invoke(request);
        return await http.SendAsync(request, SiloFixture.Cancel);
    }

    private static void Add(HttpRequestMessage request, string name, string value) => request.Headers.TryAddWithoutValidation(name, value);

    private static string Status(HttpResponseMessage reply)
        => (reply.TrailingHeaders.TryGetValues("grpc-status", out var values) || reply.Headers.TryGetValues("grpc-status", out values)) ? values.Single() : "none";

    private static byte[] Frame(byte[] payload, byte flag = 0)
    {
        var frame = new byte[GrpcFrame.PrefixLength + payload.Length];
        GrpcFrame.WritePrefix(frame, flag == 1, payload.Length);
        payload.CopyTo(frame, GrpcFrame.PrefixLength);
        return frame;
    }

    private static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(plain);
        return packed.ToArray();
    }

    private static byte[] Gunzip(byte[] packed)
    {
        using var plain = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        gzip.CopyTo(plain);
        return plain.ToArray();
    }
}
