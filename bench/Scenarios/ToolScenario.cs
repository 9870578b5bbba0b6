using System.CommandLine;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Calls;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Bench.Scenarios;

/// <summary>
/// What a tool costs beyond its own time: from the end of the model's arguments to the request at the tool's server, and from the tool's answer to the
/// next request at the model's. Both servers are in this process, so that one clock tells.
/// </summary>
internal static class ToolScenario
{
    private const double TargetMs = 3;
    private const int WarmUp = 100;
    /// <summary>The history, which each model request carries, stays as short as that of real calls.</summary>
    private const int ToolsPerCall = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Command()
    {
        var count = new Option<int>("--count") { Description = "How many tool calls are measured.", DefaultValueFactory = _ => 500 };
        var postgres = new Option<string?>("--postgres") { Description = "Connection string of an empty PostgreSQL database; default: the server starts a private one." };
        var command = new Command("tool", "Tool overhead: model's arguments to tool's request, and tool's answer to the model's next request.") { count, postgres };
        command.SetAction(async (given, cancellationToken) => await RunAsync(given.GetValue(postgres), given.GetValue(count), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string? postgres, int count, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        await using var far = await ToolFarEnd.StartAsync(cancellationToken);
        await using var server = await BenchServer.StartAsync(postgres, "All right.", cancellationToken, new Dictionary<string, string>
        {
            ["Providers__far__Type"] = "openai",
            ["Providers__far__BaseUrl"] = $"{far.Url}/v1",
            ["Models__Aliases__far"] = "far/model",
            ["Calls__Summary__Enabled"] = "false",
            ["Outbound__AllowedNetworks__0"] = "127.0.0.1/32",
        });
        using var bareClient = new HttpClient();
        List<double> to = [], back = [], both = [], bare = [];
        for (var first = -WarmUp; first < count; first += ToolsPerCall)
        {
            using var socket = await CallSocket.JoinAsync(await CreateAsync(server.Address, far.Url, cancellationToken), cancellationToken);
            var reading = socket.ReceiveAsync(new NoListener(), cancellationToken);
            for (var i = 0; i < ToolsPerCall; i++)
            {
                var times = far.Expect();
                await socket.SendMessageAsync(new JsonObject { ["type"] = "user_text_message", ["text"] = "Next." }, cancellationToken);
                var (toTool, toModel) = await times.WaitAsync(Patience, cancellationToken);
                var once = await BareAsync(bareClient, far, cancellationToken);
                if (first < 0) continue;
                to.Add(toTool);
                back.Add(toModel);
                both.Add(toTool + toModel);
                bare.Add(once);
            }
            await socket.CloseAsync();
            await reading.WaitAsync(Patience, cancellationToken);
        }
        Print("arguments in to tool's request", to);
        Print("tool's answer to model's request", back);
        Print("both: the overhead", both);
        Print("bare HttpClient, there and back", bare);
        Console.WriteLine($"\ntarget median {TargetMs} ms; overhead : bare = {LoadReport.At(both, 0.5) / LoadReport.At(bare, 0.5):0.00}");
        Console.WriteLine(Scenario.Machine());
        return LoadReport.At(both, 0.5) <= TargetMs ? 0 : CliException.CallFailed;
    }

    /// <summary>The same request by a client that does nothing else: both ways without the time that the tool's server takes.</summary>
    private static async Task<double> BareAsync(HttpClient client, ToolFarEnd far, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        using var response = await client.PostAsJsonAsync($"{far.Url}/bare", new { orderId = "7", note = "as the model has it" }, cancellationToken);
        await response.Content.ReadAsStringAsync(cancellationToken);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds - far.LastBareMs;
    }

    private static async Task<Uri> CreateAsync(ServerAddress server, string farUrl, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = server.Url };
        http.DefaultRequestHeaders.Add("X-API-Key", server.ApiKey);
        var parameters = new[] { "orderId", "note" }.Select(name => new { name, location = "PARAMETER_LOCATION_BODY", schema = new { type = "string" }, required = true });
        using var response = await http.PostAsJsonAsync("/api/calls", new
        {
            model = "far",
            systemPrompt = "Look up whatever is asked.",
            initialOutputMedium = "MESSAGE_MEDIUM_TEXT",
            maxDuration = "3600s",
            firstSpeakerSettings = new { user = new { } },
            medium = new { serverWebSocket = new { inputSampleRate = 16_000 } },
            selectedTools = new[] { new { temporaryTool = new { modelToolName = "lookUp", description = "Looks up an order.", dynamicParameters = parameters, http = new { baseUrlPattern = $"{farUrl}/tool", httpMethod = "POST" } } } },
        }, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (!response.IsSuccessStatusCode) throw new CliException($"The call could not be created: {text}");
        return new Uri(JsonNode.Parse(text)!["joinUrl"]!.GetValue<string>());
    }

    private static void Print(string name, List<double> values)
        => Console.WriteLine($"  {name,-36}{LoadReport.At(values, 0.5),8:0.00}{LoadReport.At(values, 0.95),8:0.00}{LoadReport.At(values, 0.99),8:0.00}{values.Count,8}  ms: median, p95, p99, count");

    private sealed class NoListener : ICallListener
    {
        public void OnAudio(ReadOnlySpan<short> pcm, long timestamp) { }

        public void OnMessage(string type, JsonElement message, long timestamp) { }
    }
}
