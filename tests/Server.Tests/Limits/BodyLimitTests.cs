using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Limits;

/// <summary>How much a request may bring, by kind, and how long it may take; all of it by configuration.</summary>
public sealed class BodyLimitTests(BodyLimitSilo silo) : IClassFixture<BodyLimitSilo>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private ApiClient Client => silo.Client;

    [Theory]
    [InlineData("/api/agents", "application/json", 2_000)]
    [InlineData("/api/tools", "application/json", 2_000)]
    [InlineData("/api/tools", "multipart/form-data; boundary=b", 50_000)]
    [InlineData("/api/voices", "application/json", 2_000)]
    [InlineData("/api/voices", "multipart/form-data; boundary=b", 80_000)]
    public async Task EachKindOfBody_HasItsLimit_InChunksToo(string path, string type, int limit)
    {
        foreach (var isChunked in new[] { false, true })
        {
            // Right up to the limit it is looked into, whatever is then said of it; beyond, it is not.
            Assert.Equal(400, (await PostAsync(path, type, limit, isChunked)).Status);
            foreach (var more in new[] { limit + 1, 3 * limit })
            {
                var (status, text) = await PostAsync(path, type, more, isChunked);
                Assert.True(status == 413 && text.EndsWith($"exceeded the limit of {limit} bytes.\",\"code\":\"request_too_large\"}}", StringComparison.Ordinal), $"{more}, chunked {isChunked}: {status} {text}");
            }
        }
    }

    [Fact]
    public async Task ManyFiles_AreNotMoreThanOne()
    {
        var part = $"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n{new string('x', 49_000)}\r\n";
        var body = string.Concat(Enumerable.Repeat(part, 8)) + "--b--\r\n";
        var (status, text) = await SendAsync("/api/tools", "multipart/form-data; boundary=b", Encoding.ASCII.GetBytes(body), isChunked: true);
        Assert.True(status == 413, $"{status} {text}");
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("multipart/form-data; boundary=b")]
    public async Task ABodyThatDrips_408_HoweverSteadily(string type)
    {
        using var socket = await ConnectAsync();
        var head = $"POST /api/tools HTTP/1.1\r\nHost: x\r\nX-API-Key: {Client.Key}\r\nContent-Type: {type}\r\nContent-Length: 1999\r\n\r\n";
        await socket.WriteAsync(Encoding.ASCII.GetBytes(head), SiloFixture.Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
        var drip = DripAsync(socket, stop.Token);
        var answer = await ReadAsync(socket);
        await stop.CancelAsync();
        await drip;
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("\"detail\":", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABodyThatNeverComes_408()
    {
        using var socket = await ConnectAsync();
        var head = $"POST /api/agents HTTP/1.1\r\nHost: x\r\nX-API-Key: {Client.Key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{";
        await socket.WriteAsync(Encoding.ASCII.GetBytes(head), SiloFixture.Cancel);
        Assert.StartsWith("HTTP/1.1 408", await ReadAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHeadThatNeverEnds_EndsTheConnection()
    {
        using var socket = await ConnectAsync();
        await socket.WriteAsync("GET /api/agents HTTP/1.1\r\nHost: x\r\nX-Slow: "u8.ToArray(), SiloFixture.Cancel);
        var watch = Stopwatch.StartNew();
        var answer = await ReadAsync(socket);       // to the end of the connection
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408", StringComparison.Ordinal), answer);
        Assert.True(watch.Elapsed < Patience);
    }

    /// <summary>JSON or a file of so many bytes, without sense.</summary>
    private Task<(int Status, string Text)> PostAsync(string path, string type, int bytes, bool isChunked)
    {
        if (type == "application/json") return SendAsync(path, type, Encoding.ASCII.GetBytes($"{{\"nonsense\":\"{new string('x', bytes - 15)}\"}}"), isChunked);
        var form = $"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n{new string('x', bytes)}\r\n--b--\r\n";
        return SendAsync(path, type, Encoding.ASCII.GetBytes(form), isChunked);
    }

    private async Task<(int Status, string Text)> SendAsync(string path, string type, byte[] body, bool isChunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = isChunked ? new StreamContent(new Unseekable(body)) : new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var answer = await Client.Http.SendAsync(request, SiloFixture.Cancel);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(SiloFixture.Cancel));
    }

    private async Task<NetworkStream> ConnectAsync()
    {
        var address = Client.Http.BaseAddress!;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address.Host, address.Port, SiloFixture.Cancel);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Fast enough for any rate, as long as the connection takes it.</summary>
    private static async Task DripAsync(NetworkStream socket, CancellationToken cancellationToken)
    {
        try
        {
            using var every = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (await every.WaitForNextTickAsync(cancellationToken)) await socket.WriteAsync("   "u8.ToArray(), cancellationToken);
        }
        catch (Exception over) when (over is IOException or OperationCanceledException)
        {
            // The server has had enough, or the test has its answer.
        }
    }

    private static async Task<string> ReadAsync(NetworkStream socket)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
        late.CancelAfter(Patience);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReadAsync(buffer, late.Token) is > 0 and var read)
            {
                answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
                if (answer.ToString().Contains('}')) break;
            }
        }
        catch (IOException)
        {
            // A reset ends it as well.
        }
        return answer.ToString();
    }

    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}

/// <summary>A silo with small limits and little patience.</summary>
public sealed class BodyLimitSilo : IAsyncLifetime
{
    private TestDatabase database = null!;
    private WebApplication app = null!;
    public ApiClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        app = await SiloFixture.StartAsync(database,
            ("Gateway:MaxBodyBytes", "2000"), ("Gateway:BodyTimeout", "00:00:02.5"), ("Gateway:UploadTimeout", "00:00:02.5"), ("Gateway:HeaderTimeout", "00:00:01"),
            ("Gateway:BodyGrace", "00:00:01.2"), ("Tools:Durable:MaxImportBytes", "50000"), ("OwnVoices:MaxSampleBytes", "80000"));
        Client = await SiloFixture.CreateClientAsync(app);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        await database.DisposeAsync();
    }
}
