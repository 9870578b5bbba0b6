using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>
/// An HTTP server that speaks OpenAI's streamed chat completions and answers as a test says: a call with the model <see cref="Model"/> whose system prompt
/// holds a script's <see cref="Script.Mark"/> is answered by that script; any other request, a summary's for example, by fixed words.
/// </summary>
internal sealed class ScriptedChat : IAsyncDisposable
{
    /// <summary>The alias in a silo that has <see cref="Settings"/>.</summary>
    public const string Model = "scripted-chat";

    private readonly ConcurrentDictionary<string, Script> scripts = [];
    private readonly WebApplication app;

    public ScriptedChat()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.MapPost("/v1/chat/completions", AnswerAsync);
    }

    public IEnumerable<(string Key, string Value)> Settings =>
    [
        ("Providers:scripted-chat:Type", "OpenAi"),
        ("Providers:scripted-chat:BaseUrl", $"{app.Urls.Single()}/v1"),
        ($"Models:Aliases:{Model}", "scripted-chat/chat"),
    ];

    public Task StartAsync() => app.StartAsync();

    /// <summary>A script that answers each request by what <paramref name="answer"/> makes of it.</summary>
    public Script Play(Func<ChatRequest, ChatReply> answer)
    {
        var script = new Script(answer);
        scripts[script.Mark] = script;
        return script;
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var json = (await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted))!.AsObject();
        var request = new ChatRequest(json);
        var script = scripts.Values.FirstOrDefault(script => request.SystemPrompt.Contains(script.Mark, StringComparison.Ordinal));
        var reply = script?.Answer(request) ?? ChatReply.Say("They talked.");
        http.Response.ContentType = "text/event-stream";
        try
        {
            foreach (var chunk in reply.Chunks(json["stream_options"]?["include_usage"]?.GetValue<bool>() ?? false))
            {
                await http.Response.WriteAsync($"data: {chunk}\n\n", http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The call does not need the answer any more.
        }
    }
}

/// <summary>How the model behaves in one call.</summary>
internal sealed class Script(Func<ChatRequest, ChatReply> answer)
{
    private readonly ConcurrentQueue<ChatRequest> requests = [];

    /// <summary>To be put into the system prompt.</summary>
    public string Mark { get; } = $"[script {Guid.NewGuid():N}]";

    /// <summary>All requests so far, in order.</summary>
    public IReadOnlyList<ChatRequest> Requests => [.. requests];

    public ChatReply Answer(ChatRequest request)
    {
        requests.Enqueue(request);
        return answer(request);
    }
}

/// <summary>What the server was sent.</summary>
internal sealed record ChatRequest(JsonObject Json)
{
    public IReadOnlyList<JsonObject> Messages => [.. Json["messages"]!.AsArray().Select(message => message!.AsObject())];
    public string SystemPrompt => Messages.Where(message => Role(message) == "system").Select(Text).FirstOrDefault() ?? "";
    /// <summary>Role of the last message: user, assistant, tool or system.</summary>
    public string LastRole => Role(Messages[^1]);
    public string LastText => Text(Messages[^1]);
    public string LastUserText => Messages.Where(message => Role(message) == "user").Select(Text).LastOrDefault() ?? "";
    public IReadOnlyList<string> ToolNames => [.. (Json["tools"]?.AsArray() ?? []).Select(tool => (string)tool!["function"]!["name"]!)];

    /// <summary>The parameters of a tool as the model sees them.</summary>
    public JsonObject ToolParameters(string name)
        => Json["tools"]!.AsArray().Single(tool => (string?)tool!["function"]!["name"] == name)!["function"]!["parameters"]!.AsObject();

    private static string Role(JsonObject message) => (string)message["role"]!;

    private static string Text(JsonObject message) => message["content"] switch
    {
        JsonArray parts => string.Concat(parts.Select(part => (string?)part!["text"])),
        { } text => text.GetValue<string>(),
        null => "",
    };
}

/// <summary>What the model answers: words, then tool calls.</summary>
internal sealed record ChatReply(string Text, IReadOnlyList<(string Id, string Name, string Arguments)> ToolCalls)
{
    public int PromptTokens { get; init; } = 100;
    public int CompletionTokens { get; init; } = 10;

    public static ChatReply Say(string text) => new(text, []);

    /// <summary>A call of a tool without words.</summary>
    public static ChatReply Call(string tool, object arguments) => Say("").AndCall(tool, arguments);

    public ChatReply AndCall(string tool, object arguments) => AndCallRaw(tool, JsonSerializer.Serialize(arguments));

    /// <param name="arguments">Sent as they are: models write what they like.</param>
    public ChatReply AndCallRaw(string tool, string arguments) => this with { ToolCalls = [.. ToolCalls, ($"call_{Guid.NewGuid():N}", tool, arguments)] };

    /// <summary>The stream's events: words and arguments in pieces, as models write them.</summary>
    public IEnumerable<string> Chunks(bool withUsage)
    {
        for (var at = 0; at < Text.Length; at += 12) yield return Delta(new { content = Text[at..Math.Min(Text.Length, at + 12)] });
        for (var i = 0; i < ToolCalls.Count; i++)
        {
            var (id, name, arguments) = ToolCalls[i];
            yield return Delta(new { tool_calls = new[] { new { index = i, id, type = "function", function = new { name, arguments = "" } } } });
            for (var at = 0; at < arguments.Length; at += 20)
                yield return Delta(new { tool_calls = new[] { new { index = i, function = new { arguments = arguments[at..Math.Min(arguments.Length, at + 20)] } } } });
        }
        yield return Delta(new { }, ToolCalls.Count > 0 ? "tool_calls" : "stop");
        if (withUsage) yield return JsonSerializer.Serialize(new { choices = Array.Empty<object>(), usage = new { prompt_tokens = PromptTokens, completion_tokens = CompletionTokens } });
        yield return "[DONE]";
    }

    private static string Delta(object delta, string? finish = null)
        => JsonSerializer.Serialize(new { choices = new[] { new { index = 0, delta, finish_reason = finish } } });
}
