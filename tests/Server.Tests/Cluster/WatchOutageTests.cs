using System.Text.Json;
using VoiceGrains.Server.Tests.Grpc;
using VoiceGrains.Server.Tests.WebSockets;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>A watch of a call while the broker is away for a moment.</summary>
public sealed class WatchOutageTests
{
    private const string Prompt = """
        When the call starts: say "Hello, this is Anna."
        When the user says "one": say "First."
        When the user says "two": say "Second."
        When the user says "three": say "Third."
        """;

    [Fact]
    public async Task ARestartOfTheBroker_LeavesAGapInTheWatch_AndTheCallTalksOn()
    {
        var broker = await RabbitServer.StartAsync();
        // The lease outlasts the restart, and the client is at the silo itself: only the watch needs the broker.
        await using var cluster = await ClusterProcesses.StartAsync(broker, ("Cluster__Lease", "00:02:00"), ("Media__PublicUrl", "http://127.0.0.1:PORT"));
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(Prompt, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT"}"""));
        await using var watcher = await ClusterWatchTests.WatchAsync(cluster.GrpcOf(cluster.Gateway), api, call.CallId);
        await call.JoinAsync();
        await call.WaitForFinalAsync("agent");
        await AskAsync(call, "one", "First.");

        await broker.KillAsync();
        await AskAsync(call, "two", "Second.");
        await using var refused = NodeClient.Start("watch", cluster.GrpcOf(cluster.Gateway), api.Key, new { callId = call.CallId });
        Assert.Equal(14, (await refused.RestAsync())[^1].GetProperty("status").GetInt32());
        await broker.StartBrokerAsync();

        var seen = new List<JsonElement>();
        while (seen.Count == 0 || ClusterWatchTests.Kind(seen[^1]) != "gap") seen.Add(await watcher.NextAsync());       // without another event
        await AskAsync(call, "three", "Third.");
        await call.SendAsync("""{"type":"hang_up"}""");
        seen.AddRange(await watcher.RestAsync());

        Assert.Equal(("callEnded", 0), (ClusterWatchTests.Kind(seen[^2]), seen[^1].GetProperty("status").GetInt32()));
        var gap = Assert.Single(seen, e => ClusterWatchTests.Kind(e) == "gap").GetProperty("gap");
        Assert.False(gap.TryGetProperty("atLeast", out _));
        var said = seen.Where(e => ClusterWatchTests.Kind(e) == "transcript").Select(e => e.GetProperty("transcript"))
            .Where(t => t.TryGetProperty("final", out var final) && final.GetBoolean()).Select(t => t.GetProperty("text").GetString()!.Trim()).ToList();
        Assert.Contains("First.", said);
        Assert.DoesNotContain("Second.", said);
        Assert.Contains("Third.", said);
        // States and transcripts are also what the client got: it says how many there were, beside the entries of the event log.
        var missed = call.Messages.Count(m => m.Type is "state" or "transcript") - seen.Count(e => ClusterWatchTests.Kind(e) is "state" or "transcript");
        Assert.InRange(gap.GetProperty("dropped").GetInt32(), missed, missed + 20);
        await cluster.UntilUnwatchedAsync(call.CallId);
    }

    private static async Task AskAsync(LiveCall call, string text, string answer)
    {
        await call.SendAsync($$"""{"type":"user_text_message","text":"{{text}}"}""");
        await call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.TryGetProperty("text", out var said) && said.GetString()!.Contains(answer, StringComparison.Ordinal));
    }
}
