using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>Watching calls with @grpc/grpc-js: a real one, one that never begins, and one that too many watch.</summary>
public sealed class LiveEventTests(GrpcSilo silo)
{
    private const string Prompt = """
        When the call starts: say "Hello, this is Anna."
        When the user says "ten meters": say "All right. I am going."
        When the user says "thank you": say "Not at all."
        """;

    [Fact]
    public async Task ACallOfHumanSpeech_IsWatchedWhileItHappens()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(Prompt, """{"languageHint":"en"}""", """{"dataMessages":{"transcript":false,"state":false}}"""));
        var callId = call.CallId;
        await using var watcher = NodeClient.Start("watch", silo.GrpcAddress, api.Key, new { callId });
        Assert.True((await watcher.NextAsync()).GetProperty("watching").GetBoolean());

        await call.JoinAsync();
        var seen = new List<JsonElement>();
        await NextAsync(watcher, seen, e => IsFinal(e, "agent", "Hello, this is Anna."));
        await NextAsync(watcher, seen, e => Kind(e) == "state" && e.GetProperty("state").GetProperty("state").GetString() == "listening");
        call.Say(HumanSpeech.OneTurn());
        await NextAsync(watcher, seen, e => IsFinal(e, "user", "ten meters"));
        await NextAsync(watcher, seen, e => IsFinal(e, "agent", "All right. I am going."));
        var latency = await NextAsync(watcher, seen, e => Kind(e) == "callEvent" && e.GetProperty("callEvent").GetProperty("type").GetString() == "turn_latency", orSeen: true);
        Assert.True(latency.GetProperty("callEvent").GetProperty("extras").GetProperty("totalMs").GetDouble() > 0);

        await SendDataAsync(api, callId, """{"type":"user_text_message","text":"thank you"}""");
        await NextAsync(watcher, seen, e => IsFinal(e, "agent", "Not at all."));
        await SendDataAsync(api, callId, """{"type":"hang_up"}""");
        seen.AddRange(await watcher.RestAsync());

        Assert.Equal(0, seen[^1].GetProperty("status").GetInt32());
        Assert.Equal(("callEnded", "agent_hangup"), (Kind(seen[^2]), seen[^2].GetProperty("callEnded").GetProperty("endReason").GetString()));
        Assert.DoesNotContain(seen, e => Kind(e) == "gap");
        Assert.Equal(["user", "agent"], seen.Where(e => Kind(e) == "transcript").Select(e => e.GetProperty("transcript").GetProperty("role").GetString()!).Distinct().OrderDescending());
        // The words of each utterance come bit by bit, and together they are its last word.
        foreach (var utterance in seen.Where(e => Kind(e) == "transcript").Select(e => e.GetProperty("transcript")).GroupBy(t => t.TryGetProperty("ordinal", out var ordinal) ? ordinal.GetInt32() : 0))
        {
            var deltas = string.Concat(utterance.Where(t => t.TryGetProperty("delta", out _)).Select(t => t.GetProperty("delta").GetString()));
            if (deltas.Length > 0) Assert.Equal(utterance.Last().GetProperty("text").GetString(), deltas.Trim());
        }
        Assert.Equal(9, (await UnaryAsync(api, "sendDataMessage", $$$"""{"callId":"{{{callId}}}","message":{"$struct":{"type":"hang_up"} } }""")).GetProperty("code").GetInt32());

        // Who comes late is told how it ended, at once.
        await using var late = NodeClient.Start("watch", silo.GrpcAddress, api.Key, new { callId });
        var rest = await late.RestAsync();
        Assert.Equal((true, "agent_hangup", 0),
            (rest[0].GetProperty("watching").GetBoolean(), rest[1].GetProperty("callEnded").GetProperty("endReason").GetString(), rest[2].GetProperty("status").GetInt32()));
    }

    [Fact]
    public async Task ACallThatNobodyJoins_EndsItsWatch()
    {
        using var api = await silo.CreateClientAsync();
        var callId = (await api.PostAsync("/api/calls", """{"joinTimeout":"3s"}""")).Json.GetProperty("callId").GetString()!;
        await using var watcher = NodeClient.Start("watch", silo.GrpcAddress, api.Key, new { callId });
        var seen = await watcher.RestAsync();
        Assert.Equal(("unjoined", 0), (seen[^2].GetProperty("callEnded").GetProperty("endReason").GetString(), seen[^1].GetProperty("status").GetInt32()));
    }

    /// <summary>100 watchers. One does not read while more happens than its queues hold: it is told how much it missed, and nobody else misses anything.</summary>
    [Fact]
    public async Task AWatcherThatDoesNotRead_LosesTheOldestEvents_AndNobodyElseDoes()
    {
        const int batch = 100, batches = 15, more = 98;
        using var api = await silo.CreateClientAsync();
        var callId = (await api.PostAsync("/api/calls", "{}")).Json.GetProperty("callId").GetString()!;
        await using var crowd = NodeClient.Start("crowd", silo.GrpcAddress, api.Key, new { callId, batch, more });
        Assert.Equal(2, (await crowd.NextAsync()).GetProperty("watching").GetInt32());
        var publisher = silo.Services.GetRequiredService<LiveEventStreams>().PublisherOf(callId);
        var noise = new Random(1);       // spaces would be compressed to nothing, and nobody would be slow
        var sent = 0;
        while (sent < batch * batches) await PublishAsync();
        await crowd.TellAsync("more");
        Assert.Equal(more + 2, (await crowd.NextAsync()).GetProperty("watching").GetInt32());
        await PublishAsync();
        publisher.Ended(EndReason.Hangup);
        Assert.True((await crowd.NextAsync()).GetProperty("readersEnded").GetBoolean());

        await crowd.TellAsync("read");
        var result = await crowd.NextAsync();
        var idle = result.GetProperty("idle");
        Assert.Equal((1, "callEnded", 0), (idle.GetProperty("gaps").GetInt32(), idle.GetProperty("last").GetString(), idle.GetProperty("status").GetInt32()));
        Assert.Equal(sent + 1, idle.GetProperty("events").GetInt32() + idle.GetProperty("dropped").GetInt32());
        var readers = result.GetProperty("readers").EnumerateArray().ToList();
        Assert.Equal(more + 1, readers.Count);
        Assert.All(readers, reader => Assert.Equal((sent + 1, 0, 0),
            (reader.GetProperty("events").GetInt32(), reader.GetProperty("gaps").GetInt32(), reader.GetProperty("status").GetInt32())));

        async Task PublishAsync()
        {
            var text = new byte[1_500];
            for (var i = 0; i < batch; i++, sent++)
            {
                noise.NextBytes(text);
                publisher.Event(new CallEvent(callId, "s", TimeSpan.Zero, Severity.Info, "test", Convert.ToBase64String(text), null, null));
            }
            Assert.Equal(sent, (await crowd.NextAsync()).GetProperty("received").GetInt32());
        }
    }

    private async Task SendDataAsync(ApiClient api, string callId, string message)
        => Assert.Equal(0, (await UnaryAsync(api, "sendDataMessage", $$$"""{"callId":"{{{callId}}}","message":{"$struct":{{{message}}} } }""")).GetProperty("code").GetInt32());

    private Task<JsonElement> UnaryAsync(ApiClient api, string method, string request)
        => NodeClient.RunAsync("unary", silo.GrpcAddress, api.Key, new { service = "Calls", method, request = Parse(request) });

    private static async Task<JsonElement> NextAsync(NodeClient watcher, List<JsonElement> seen, Func<JsonElement, bool> wanted, bool orSeen = false)
    {
        if (orSeen && seen.Find(wanted.Invoke) is { ValueKind: JsonValueKind.Object } known) return known;
        while (true)
        {
            var next = default(JsonElement);
            try
            {
                next = await watcher.NextAsync();
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"It never came. Seen: {string.Join('\n', seen)}");
            }
            Assert.False(next.TryGetProperty("status", out var status), $"The stream ended with {status}. Seen: {string.Join('\n', seen)}");
            seen.Add(next);
            if (wanted(next)) return next;
        }
    }

    private static string Kind(JsonElement e) => e.TryGetProperty("event", out var kind) ? kind.GetString()! : "";

    private static bool IsFinal(JsonElement e, string role, string text) => Kind(e) == "transcript" && e.GetProperty("transcript") is var transcript
        && transcript.TryGetProperty("final", out var final) && final.GetBoolean()
        && transcript.GetProperty("role").GetString() == role && transcript.GetProperty("text").GetString()!.Contains(text, StringComparison.Ordinal);

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
