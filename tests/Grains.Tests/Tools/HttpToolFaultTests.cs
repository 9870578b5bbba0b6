using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Http;
using Options = Microsoft.Extensions.Options.Options;

namespace VoiceGrains.Grains.Tests.Tools;

/// <summary>Whatever a tool's server does, there is one outcome, in words for the model and in full for the log.</summary>
public sealed class HttpToolFaultTests : IAsyncLifetime
{
    private static readonly ToolContext Context = new() { CallId = "call-1", CallStageId = "stage-1", OutputSampleRateHz = 16_000, CallState = [], CallToken = "t0ken" };

    private readonly ToolOptions _options = new();
    private ToolServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await ToolServer.StartAsync(Cancel);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<ToolOutcome> InvokeAsync(CallTool tool, Func<string, IPAddress[]>? names = null, string allowed = "127.0.0.0/8")
    {
        var guard = new OutboundGuard(new OutboundOptions { AllowedNetworks = allowed.Length > 0 ? [allowed] : [] }, (host, _) => Task.FromResult(names?.Invoke(host) ?? []));
        using var invoker = new HttpToolInvoker(guard, Options.Create(_options));
        return await invoker.InvokeAsync(new Invocation("i1", tool, []), Context, Cancel).WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    private static CallTool At(string url) => new() { CallToolId = "t", Name = "t", Definition = new() { Http = new() { BaseUrlPattern = url, HttpMethod = "GET" } } };

    [Theory]
    [InlineData(200, "text/plain", "hello", "hello", null)]
    [InlineData(200, null, "hello", "hello", null)]
    [InlineData(200, "application/problem+json", "{\"a\":", "{\"a\":", null)]      // invalid JSON is text like any other
    [InlineData(204, null, "", "The tool succeeded; it returned nothing.", null)]
    [InlineData(200, "image/png", "", "The tool succeeded; it returned nothing.", null)]
    [InlineData(200, "text/html", "<html>hi</html>", "<html>hi</html>", "The response is an HTML page; the model reads plain text or JSON better.")]
    public async Task GoodAnswer_IsTheResult(int status, string? type, string body, string result, string? warning)
    {
        _server.Answer(status, type, Encoding.UTF8.GetBytes(body));
        var outcome = await InvokeAsync(_server.Tool("GET", "/"));
        Assert.Equal((result, null, warning), (outcome.Result, outcome.ErrorDetails, outcome.Warning));
    }

    [Theory]
    [InlineData("text/plain", new byte[] { 0x68, 0xE9 }, "h\uFFFD", "The response is not valid utf-8; what cannot be read is replaced.")]
    [InlineData("text/plain; charset=iso-8859-1", new byte[] { 0x68, 0xE9 }, "hé", null)]
    [InlineData("text/plain; charset=nonsense", new byte[] { 0x68 }, "h", null)]
    [InlineData("application/json", new byte[] { 0xEF, 0xBB, 0xBF, 0x31 }, "1", null)]
    public async Task Encoding_IsTheServers_AndWhatCannotBeReadIsReplaced(string type, byte[] body, string result, string? warning)
    {
        _server.Answer(200, type, body);
        var outcome = await InvokeAsync(_server.Tool("GET", "/"));
        Assert.Equal((result, warning), (outcome.Result, outcome.Warning));
    }

    [Theory]
    [InlineData(200, "image/png", "x", "Error: The tool answered with image/png, which is no text.", "The tool answered with image/png, which is no text.")]
    [InlineData(200, "text/plain", "a\0b", "Error: The tool answered with text/plain, which is no text.", "The tool answered with text/plain, which is no text.")]
    [InlineData(400, "application/json", "{\"message\":\"qty?\"}", "Error: The tool answered with status 400: {\"message\":\"qty?\"}", "HTTP error: 400 Response:{\"message\":\"qty?\"}")]
    [InlineData(404, "text/html", "<h1>no</h1>", "Error: The tool answered with status 404.", "HTTP error: 404 Response:<h1>no</h1>")]
    [InlineData(500, "text/plain", "at Db.Open()", "Error: The tool answered with status 500.", "HTTP error: 500 Response:at Db.Open()")]
    public async Task BadAnswer_IsAnError(int status, string type, string body, string result, string details)
    {
        _server.Answer(status, type, Encoding.UTF8.GetBytes(body));
        var outcome = await InvokeAsync(_server.Tool("GET", "/"));
        Assert.Equal((result, details), (outcome.Result, outcome.ErrorDetails));
    }

    [Fact]
    public async Task EndlessResponse_IsReadNoFurtherThanTheLimit_AndTheServerNotices()
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Handle = async http =>
        {
            try
            {
                for (var chunk = new byte[4096]; !http.RequestAborted.IsCancellationRequested;) await http.Response.Body.WriteAsync(chunk, http.RequestAborted);
            }
            finally
            {
                gone.SetResult();
            }
        };
        var outcome = await InvokeAsync(_server.Tool("GET", "/"));
        Assert.Equal("Error: The tool's response is too long: more than 65536 bytes.", outcome.Result);
        await gone.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task ResponseLimit_IsExact(int over, bool fits)
    {
        _options.MaxResponseBytes = 2000;
        _server.Answer(200, "text/plain", new byte[2000 + over].Select(_ => (byte)'x').ToArray());
        Assert.Equal(fits, (await InvokeAsync(_server.Tool("GET", "/"))).ErrorDetails is null);
    }

    [Theory]
    [InlineData("{\"a\":")]
    [InlineData("[1]")]
    [InlineData("{\"a\":{\"b\":1,\"b\":2}}")]
    [InlineData("{\"a\":[\"\\ud800\"]}")]       // half a surrogate pair: the state could not be stored
    public async Task WrongHeaders_AreIgnoredAndToldOf(string state)
    {
        _server.Handle = http =>
        {
            http.Response.Headers["X-Ultravox-Response-Type"] = "explode";
            http.Response.Headers["X-Ultravox-Agent-Reaction"] = "sings";
            http.Response.Headers["X-Ultravox-Update-Call-State"] = state;
            return http.Response.WriteAsync("ok", Cancel);
        };
        var outcome = await InvokeAsync(_server.Tool("GET", "/"));
        Assert.Equal(("ok", null, false, null, null), (outcome.Result, outcome.Reaction, outcome.HangsUp, outcome.UpdateCallState, outcome.ErrorDetails));
        foreach (var name in (string[])["Response-Type", "Agent-Reaction", "Update-Call-State"]) Assert.Contains(name, outcome.Warning!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NewStage_CarriesItsBody()
    {
        _server.Handle = http =>
        {
            http.Response.Headers["X-Ultravox-Response-Type"] = "new-stage";
            return http.Response.WriteAsync("""{"systemPrompt":"x"}""", Cancel);
        };
        Assert.Equal("""{"systemPrompt":"x"}""", (await InvokeAsync(_server.Tool("GET", "/"))).NewStage);
    }

    [Fact]
    public async Task CallToken_IsSent_OnlyWhereTheToolAsks()
    {
        _server.Handle = http => http.Response.WriteAsync($"[{http.Request.Headers["X-Ultravox-Call-Token"]}]", Cancel);
        var tool = _server.Tool("GET", "/");
        Assert.Equal("[]", (await InvokeAsync(tool)).Result);
        tool = tool with { Definition = tool.Definition with { Http = tool.Definition.Http! with { CallTokenScopes = ["corpora"] } } };
        Assert.Equal("[t0ken]", (await InvokeAsync(tool)).Result);
    }

    [Fact]
    public async Task Redirect_OnTheSameOrigin_IsFollowedWithTheToolsHeaders()
    {
        _server.Handle = http =>
        {
            if (http.Request.Path == "/there") return http.Response.WriteAsync($"{http.Request.Method} {http.Request.Headers["X-Key"]}", Cancel);
            http.Response.Redirect("/there");
            return Task.CompletedTask;
        };
        var tool = _server.Tool("GET", "/") with { AuthHeaders = new Dictionary<string, string> { ["X-Key"] = "s3cret" } };
        Assert.Equal("GET s3cret", (await InvokeAsync(tool)).Result);
    }

    [Fact]
    public async Task Redirect_ToAnotherOrigin_LosesTheToolsHeaders()
    {
        await using var other = await ToolServer.StartAsync(Cancel);
        other.Handle = http => http.Response.WriteAsync($"there, key: '{http.Request.Headers["X-Key"]}'", Cancel);
        _server.Handle = http =>
        {
            http.Response.Redirect(other.Url + "/");
            return Task.CompletedTask;
        };
        var tool = _server.Tool("GET", "/") with { AuthHeaders = new Dictionary<string, string> { ["X-Key"] = "s3cret" } };
        Assert.Equal("there, key: ''", (await InvokeAsync(tool)).Result);
    }

    [Theory]
    [InlineData("POST", 307)]
    [InlineData("POST", 303)]
    [InlineData("DELETE", 302)]
    public async Task Redirect_OfWhatMayChangeSomething_IsNotFollowed(string method, int status)
    {
        var requests = 0;
        _server.Handle = http =>
        {
            requests++;
            http.Response.StatusCode = status;
            http.Response.Headers.Location = "/there";
            return Task.CompletedTask;
        };
        Assert.Equal($"Error: The tool answered with status {status}.", (await InvokeAsync(_server.Tool(method, "/"))).Result);
        Assert.Equal(1, requests);
    }

    [Fact]
    public async Task RedirectsInACircle_EndAtTheBound()
    {
        var requests = 0;
        _server.Handle = http =>
        {
            requests++;
            http.Response.Redirect("/");
            return Task.CompletedTask;
        };
        Assert.Equal("Error: The tool answered with status 302.", (await InvokeAsync(_server.Tool("GET", "/"))).Result);
        Assert.Equal(4, requests);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("http://rebind.test:{port}/")]
    [InlineData("http://mapped.test:{port}/")]
    [InlineData("file:///etc/passwd")]
    public async Task Redirect_ToTheInside_IsRefused(string location)
    {
        var requests = 0;
        _server.Handle = http =>
        {
            requests++;
            http.Response.Headers.Location = location.Replace("{port}", $"{_server.Port}", StringComparison.Ordinal);
            http.Response.StatusCode = 302;
            return Task.CompletedTask;
        };
        // Only the first hop's own address is allowed, so that the redirect is judged as on a real network.
        var outcome = await InvokeAsync(_server.Tool("GET", "/"), Names, "127.0.0.1/32");
        Assert.Equal("Error: The tool could not be reached.", outcome.Result);
        Assert.Contains("allowed", outcome.ErrorDetails!, StringComparison.Ordinal);
        Assert.Equal(1, requests);
    }

    [Theory]
    [InlineData("http://rebind.test:{port}/")]
    [InlineData("http://mapped.test:{port}/")]
    [InlineData("http://127.0.0.2:{port}/")]
    [InlineData("http://[::1]:{port}/")]
    [InlineData("http://user:pass@127.0.0.1:{port}/")]
    public async Task NameOrAddressOfTheInside_IsRefused(string url)
    {
        var outcome = await InvokeAsync(At(url.Replace("{port}", $"{_server.Port}", StringComparison.Ordinal)), Names, "");
        Assert.Equal("Error: The tool could not be reached.", outcome.Result);
        Assert.Contains("allowed", outcome.ErrorDetails!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerThatIsNotThere_IsAnError()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        var outcome = await InvokeAsync(At($"http://127.0.0.1:{port}/"));
        Assert.Equal("Error: The tool could not be reached.", outcome.Result);
        Assert.NotEmpty(outcome.ErrorDetails!);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut")]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("")]
    public async Task BrokenHttp_IsAnError(string answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serve = ServeAsync(listener, answer);
        var outcome = await InvokeAsync(At($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"));
        Assert.Equal("Error: The tool could not be reached.", outcome.Result);
        listener.Stop();
        await serve;
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task RequestThatMayHaveDoneSomething_IsNeverRepeated(string method)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serve = ServeAsync(listener, "");
        var tool = At($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        await InvokeAsync(tool with { Definition = tool.Definition with { Http = tool.Definition.Http! with { HttpMethod = method } } });
        listener.Stop();
        Assert.Equal(1, await serve);
    }

    [Fact]
    public async Task Connections_AreKept_AndNeverMoreThanTheBound()
    {
        _options.MaxConnectionsPerHost = 2;
        var connections = new ConcurrentDictionary<string, int>();
        _server.Handle = http =>
        {
            connections.AddOrUpdate(http.Connection.Id, 1, (_, count) => count + 1);
            return http.Response.WriteAsync("ok", Cancel);
        };
        using var invoker = new HttpToolInvoker(new OutboundGuard(Options.Create(new OutboundOptions { AllowedNetworks = ["127.0.0.0/8"] })), Options.Create(_options));
        var runs = Enumerable.Range(0, 40).Select(_ => invoker.InvokeAsync(new Invocation("i", _server.Tool("POST", "/"), []), Context, Cancel));
        Assert.All(await Task.WhenAll(runs), outcome => Assert.Equal("ok", outcome.Result));
        Assert.InRange(connections.Count, 1, 2);
        Assert.Equal(40, connections.Values.Sum());
    }

    [Fact]
    public async Task Head_HasNoBodyEitherWay()
    {
        _server.Handle = http =>
        {
            http.Response.Headers.ContentLength = http.Request.ContentLength ?? 7;
            return Task.CompletedTask;
        };
        Assert.Equal("The tool succeeded; it returned nothing.", (await InvokeAsync(_server.Tool("HEAD", "/"))).Result);
    }

    private static IPAddress[] Names(string host) => host switch
    {
        "rebind.test" => [IPAddress.Parse("127.0.0.2")],
        "mapped.test" => [IPAddress.Parse("::ffff:127.0.0.2")],
        _ => [],
    };

    /// <summary>Answers every request and closes, until the listener stops. Returns how many came.</summary>
    private static async Task<int> ServeAsync(TcpListener listener, string answer)
    {
        for (var served = 0; ; served++)
        {
            TcpClient client;
            try
            {
                client = await listener.AcceptTcpClientAsync(Cancel);
            }
            catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
            {
                return served;
            }
            using var _ = client;
            var request = new byte[4096];
            Assert.NotEqual(0, await client.GetStream().ReadAsync(request, Cancel));
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer), Cancel);
        }
    }
}
