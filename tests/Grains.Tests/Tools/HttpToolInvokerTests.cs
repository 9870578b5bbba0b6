using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Tests.Tools;

/// <summary>HTTP tools against a real server on loopback, which the guard lets through only where the operator allows it.</summary>
public sealed class HttpToolInvokerTests : IAsyncLifetime
{
    private static readonly ToolContext Context = new()
    {
        CallId = "call-1",
        CallStageId = "stage-1",
        OutputSampleRateHz = 16_000,
        CallState = new JsonObject { ["step"] = 2 },
        Metadata = new Dictionary<string, string> { ["who"] = "me" },
        ConversationHistory = [new JsonObject { ["text"] = "hi" }],
        CallToken = "t0ken",
    };

    private ToolServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await ToolServer.StartAsync(Cancel);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static HttpToolInvoker Invoker(params string[] allowed)
        => new(new OutboundGuard(Options.Create(new OutboundOptions { AllowedNetworks = [.. allowed] })), Options.Create(new ToolOptions()));

    private Task<ToolOutcome> Invoke(CallTool tool, JsonObject arguments, params string[] allowed)
        => Invoker(allowed.Length > 0 ? allowed : ["127.0.0.0/8"]).InvokeAsync(new Invocation("i1", tool, arguments), Context, Cancel);

    [Fact]
    public async Task Parameters_GoWhereTheyBelong_Escaped()
    {
        string? seen = null;
        _server.Handle = async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            seen = $"{http.Request.Method} {http.Request.Path}{http.Request.QueryString} {http.Request.Headers["X-Kind"]} {http.Request.Headers["Authorization"]} {await reader.ReadToEndAsync(Cancel)}";
            await http.Response.WriteAsync("fine", Cancel);
        };
        var tool = _server.Tool("POST", "/orders/{id}?fixed=1", ("id", ParameterLocation.Path), ("q", ParameterLocation.Query), ("X-Kind", ParameterLocation.Header), ("note", ParameterLocation.Body));
        tool = tool with
        {
            AuthHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer s3cret" },
            AuthQueryParams = new Dictionary<string, string> { ["key"] = "k&y" },
            ParameterOverrides = new Dictionary<string, JsonNode?> { ["q"] = "over ride" },
            Definition = tool.Definition with
            {
                StaticParameters = [new() { Name = "unit", Location = ParameterLocation.Body, Value = "m" }],
                AutomaticParameters =
                [
                    new() { Name = "call", Location = ParameterLocation.Body, KnownValue = KnownParameter.CallId },
                    new() { Name = "state", Location = ParameterLocation.Body, KnownValue = KnownParameter.CallState },
                ],
            },
        };
        var outcome = await Invoke(tool, new JsonObject { ["id"] = "a/b", ["q"] = "model's", ["X-Kind"] = "big", ["note"] = new JsonArray(1, 2) });
        Assert.Equal("""POST /orders/a%2Fb?fixed=1&q=over%20ride&key=k%26y big Bearer s3cret {"note":[1,2],"unit":"m","call":"call-1","state":{"step":2}}""", seen);
        Assert.Equal(("fine", null), (outcome.Result, outcome.ErrorDetails));
    }

    /// <summary>The documentation's own example of a precomputable tool says where its parameter goes twice: in the query, and by a placeholder.</summary>
    [Fact]
    public async Task APlaceholder_TakesTheParameterOfItsName_WhereverElseThatGoes()
    {
        string? seen = null;
        _server.Handle = http =>
        {
            seen = $"{http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget}";
            return http.Response.WriteAsync("fine", Cancel);
        };
        var tool = _server.Tool("GET", "/products/{productId}/{part}", ("productId", ParameterLocation.Query), ("part", ParameterLocation.Header));
        await Invoke(tool, new JsonObject { ["productId"] = "a/{part}", ["part"] = 7 });
        Assert.Equal("/products/a%2F%7Bpart%7D/7?productId=a%2F%7Bpart%7D", seen);
        var empty = await Invoke(tool, new JsonObject { ["productId"] = "", ["part"] = 7 });
        Assert.Contains("productId: Must not be empty.", empty.Result, StringComparison.Ordinal);
        var missing = await Invoke(tool, new JsonObject { ["productId"] = "x" });
        Assert.Contains("part: This field is required.", missing.Result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ResponseHeaders_SteerTheCall()
    {
        _server.Handle = http =>
        {
            http.Response.Headers["X-Ultravox-Response-Type"] = "hang-up";
            http.Response.Headers["X-Ultravox-Agent-Reaction"] = "listens";
            http.Response.Headers["X-Ultravox-Update-Call-State"] = """{"done":true}""";
            return http.Response.WriteAsync("bye", Cancel);
        };
        var outcome = await Invoke(_server.Tool("GET", "/"), []);
        Assert.True(outcome.HangsUp);
        Assert.Equal(ToolReaction.Listens, outcome.Reaction);
        Assert.Equal("""{"done":true}""", outcome.UpdateCallState!.ToJsonString());
    }

    [Fact]
    public async Task InsideAddress_IsRefused_UnlessAllowed()
    {
        var outcome = await Invoke(_server.Tool("GET", "/"), [], "10.0.0.0/8");
        Assert.Equal("Error: The tool could not be reached.", outcome.Result);
        Assert.Contains("only public addresses and those of the setting Outbound:AllowedNetworks are allowed", outcome.ErrorDetails!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeaderInjection_IsRefused()
    {
        var outcome = await Invoke(_server.Tool("GET", "/", ("X-Kind", ParameterLocation.Header)), new JsonObject { ["X-Kind"] = "a\r\nEvil: 1" });
        Assert.StartsWith("Error: X-Kind: Must be plain ASCII in one line", outcome.Result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancellation_StopsTheRequest()
    {
        var arrived = new TaskCompletionSource();
        _server.Handle = async http =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var run = Invoker("127.0.0.0/8").InvokeAsync(new Invocation("i1", _server.Tool("GET", "/"), []), Context, cancellation.Token);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }
}
