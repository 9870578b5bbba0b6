using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Bench.Scenarios;

/// <summary>An OpenAI-compatible model that calls a tool for every user message, and the tool: both note when they were asked and when they answered.</summary>
internal sealed class ToolFarEnd : IAsyncDisposable
{
    private const string Arguments = """{"orderId":"7","note":"as the model has it"}""";
    private readonly WebApplication _app;
    private TaskCompletionSource<(double ToTool, double ToModel)> _times = new();
    private long _argumentsSent;
    private long _toolAsked;
    private long _toolAnswered;
    private int _calls;

    private ToolFarEnd(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    /// <summary>What the last request to <c>/bare</c> took within the server.</summary>
    public double LastBareMs { get; private set; }

    public static async Task<ToolFarEnd> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var far = new ToolFarEnd(app);
        app.Run(far.HandleAsync);
        await app.StartAsync(cancellationToken);
        return far;
    }

    /// <summary>The two times, in ms, of the next tool call.</summary>
    public Task<(double ToTool, double ToModel)> Expect()
        => (_times = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task HandleAsync(HttpContext http)
    {
        var now = Stopwatch.GetTimestamp();
        return http.Request.Path.Value switch
        {
            "/tool" => AnswerToolAsync(http, now),
            "/bare" => AnswerBareAsync(http, now),
            _ => AnswerModelAsync(http, now),
        };
    }

    private async Task AnswerToolAsync(HttpContext http, long now)
    {
        _toolAsked = now;
        await http.Request.Body.CopyToAsync(Stream.Null, http.RequestAborted);
        _toolAnswered = Stopwatch.GetTimestamp();
        await http.Response.WriteAsync("""{"status":"shipped"}""", http.RequestAborted);
    }

    private async Task AnswerBareAsync(HttpContext http, long now)
    {
        await http.Request.Body.CopyToAsync(Stream.Null, http.RequestAborted);
        LastBareMs = Stopwatch.GetElapsedTime(now).TotalMilliseconds;
        await http.Response.WriteAsync("""{"status":"shipped"}""", http.RequestAborted);
    }

    private async Task AnswerModelAsync(HttpContext http, long now)
    {
        var request = await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
        var asksForTool = (string?)request!["messages"]!.AsArray()[^1]!["role"] == "user";
        http.Response.ContentType = "text/event-stream";
        if (asksForTool)
        {
            await SendAsync(http, new { tool_calls = new[] { new { index = 0, id = $"call_{++_calls}", type = "function", function = new { name = "lookUp", arguments = Arguments } } } }, null);
            _argumentsSent = Stopwatch.GetTimestamp();
            await SendAsync(http, new { }, "tool_calls");
        }
        else
        {
            _times.TrySetResult((Milliseconds(_argumentsSent, _toolAsked), Milliseconds(_toolAnswered, now)));
            await SendAsync(http, new { content = "Shipped." }, null);
            await SendAsync(http, new { }, "stop");
        }
        await http.Response.WriteAsync("data: [DONE]\n\n", http.RequestAborted);
    }

    private static async Task SendAsync(HttpContext http, object delta, string? finish)
    {
        await http.Response.WriteAsync($"data: {JsonSerializer.Serialize(new { choices = new[] { new { index = 0, delta, finish_reason = finish } } })}\n\n", http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }

    private static double Milliseconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;
}
