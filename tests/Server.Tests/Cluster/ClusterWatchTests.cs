using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Server.Tests.Grpc;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>Calls on a silo, watched at gateways with @grpc/grpc-js. All are processes of their own.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterWatchTests(SharedCluster shared) : IAsyncLifetime
{
    private const string Prompt = """
        When the call starts: say "Hello, this is Anna."
        When the user says "ten meters": say "All right. I am going."
        When the user says "thank you": say "Not at all."
        """;

    // Nobody joins it, for longer than a test takes.
    private const string Unjoined = """{"joinTimeout":"600s"}""";

    private readonly ClusterProcesses cluster = shared.Processes;

    public async ValueTask InitializeAsync() => await cluster.MendAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task ACallOfHumanSpeech_IsWatchedAtTwoGateways()
    {
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(Prompt, """{"languageHint":"en"}"""));
        var callId = call.CallId;
        await using var one = await WatchAsync(cluster.GrpcOf(cluster.Gateway), api, callId);
        await using var two = await WatchAsync(cluster.GrpcOf(shared.SecondGateway), api, callId);

        await call.JoinAsync();
        await call.WaitForFinalAsync("agent");
        var listening = await call.WaitForStateAsync("listening");
        call.Say(HumanSpeech.OneTurn());
        var heard = await call.WaitForAsync("transcript", json => IsFinal(json, "user", "ten meters"), listening.At);
        var answered = await call.WaitForFinalAsync("agent", heard.At);
        await SendDataAsync(shared.SecondGateway, api, callId, """{"type":"user_text_message","text":"thank you"}""");
        await call.WaitForFinalAsync("agent", answered.At + 0.001);
        await SendDataAsync(cluster.Gateway, api, callId, """{"type":"hang_up"}""");

        var seen = await one.RestAsync();
        Assert.Equal(seen.Select(e => e.ToString()), (await two.RestAsync()).Select(e => e.ToString()));
        Assert.Equal(0, seen[^1].GetProperty("status").GetInt32());
        Assert.Equal(("callEnded", "agent_hangup"), (Kind(seen[^2]), seen[^2].GetProperty("callEnded").GetProperty("endReason").GetString()));
        Assert.Equal(["callEvent", "state", "transcript"], seen.SkipLast(2).Select(Kind).Distinct().Order());
        // What the call's own client got, in the same order, and no more.
        Assert.Equal(
            call.Messages.Where(m => m.Type == "state").Select(m => m.Json.GetProperty("state").GetString()),
            seen.Where(e => Kind(e) == "state").Select(e => e.GetProperty("state").GetProperty("state").GetString()));
        Assert.Equal(
            call.Messages.Where(m => m.Type == "transcript").Select(m => Words(m.Json)),
            seen.Where(e => Kind(e) == "transcript").Select(e => Words(e.GetProperty("transcript"))));
        await cluster.UntilUnwatchedAsync(callId);
    }

    /// <summary>A flood of events; the call itself never sees one of them.</summary>
    [Fact]
    public async Task AWatcherThatDoesNotRead_GetsAGap_AndNeitherACallNorAnotherWatcherNotices()
    {
        const int batch = 100, batches = 20;
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        var grpc = cluster.GrpcOf(cluster.Gateway);
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(Prompt, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT"}"""));
        await using var watcher = await WatchAsync(grpc, api, call.CallId);
        await call.JoinAsync();
        await call.WaitForFinalAsync("agent");
        var flooded = (await api.PostAsync("/api/calls", Unjoined)).Json.GetProperty("callId").GetString()!;
        await using var crowd = NodeClient.Start("crowd", grpc, api.Key, new { callId = flooded, batch, more = 3 });
        Assert.Equal(2, (await crowd.NextAsync()).GetProperty("watching").GetInt32());
        using var producer = await StartProducerAsync();
        var publisher = producer.Services.GetRequiredService<LiveEventStreams>().PublisherOf(flooded);
        var noise = new Random(1);       // spaces would be compressed to nothing, and nobody would be slow
        var sent = 0;
        while (sent < batch * batches) await PublishAsync();

        await call.SendAsync("""{"type":"user_text_message","text":"thank you"}""");
        await call.WaitForAsync("transcript", json => IsFinal(json, "agent", "Not at all."));
        await SendDataAsync(cluster.Gateway, api, call.CallId, """{"type":"hang_up"}""");
        var seen = await watcher.RestAsync();
        Assert.Equal(("callEnded", 0), (Kind(seen[^2]), seen[^1].GetProperty("status").GetInt32()));
        Assert.DoesNotContain(seen, e => Kind(e) == "gap");
        Assert.Contains(seen, e => Kind(e) == "transcript" && IsFinal(e.GetProperty("transcript"), "agent", "Not at all."));

        await crowd.TellAsync("more");
        Assert.Equal(5, (await crowd.NextAsync()).GetProperty("watching").GetInt32());
        await PublishAsync();
        publisher.Ended(EndReason.Hangup);
        Assert.True((await crowd.NextAsync()).GetProperty("readersEnded").GetBoolean());
        await crowd.TellAsync("read");
        var result = await crowd.NextAsync();
        var idle = result.GetProperty("idle");
        Assert.Equal((1, "callEnded", 0), (idle.GetProperty("gaps").GetInt32(), idle.GetProperty("last").GetString(), idle.GetProperty("status").GetInt32()));
        Assert.Equal(sent + 1, idle.GetProperty("events").GetInt32() + idle.GetProperty("dropped").GetInt32());
        Assert.All(result.GetProperty("readers").EnumerateArray(), reader => Assert.Equal((sent + 1, 0, 0),
            (reader.GetProperty("events").GetInt32(), reader.GetProperty("gaps").GetInt32(), reader.GetProperty("status").GetInt32())));
        Assert.True(await MetricAsync("voicegrains_grpc_watch_dropped_total") >= idle.GetProperty("dropped").GetInt32());
        Assert.True(await MetricAsync("voicegrains_grain_stream_dropped_total") > 0);

        async Task PublishAsync()
        {
            var text = new byte[1_500];
            for (var i = 0; i < batch; i++, sent++)
            {
                noise.NextBytes(text);
                publisher.Event(new CallEvent(flooded, "s", TimeSpan.Zero, Severity.Info, "test", Convert.ToBase64String(text), null, null));
            }
            Assert.Equal(sent, (await crowd.NextAsync()).GetProperty("received").GetInt32());
        }
    }

    /// <summary>The broker keeps little for a gateway that stands still, or cuts it off: either way all events are accounted for.</summary>
    [Fact]
    public async Task AGatewayThatStandsStill_TellsItsWatchersWhatTheyMissed()
    {
        const int published = 3_000;
        var still = await cluster.AddGatewayAsync("gateway-still", ("Cluster__StreamQueueLength", "50"));
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        var callId = (await api.PostAsync("/api/calls", Unjoined)).Json.GetProperty("callId").GetString()!;
        await using var watcher = await WatchAsync(cluster.GrpcOf(still), api, callId);
        await using var other = await WatchAsync(cluster.GrpcOf(cluster.Gateway), api, callId);
        using var producer = await StartProducerAsync();
        var publisher = producer.Services.GetRequiredService<LiveEventStreams>().PublisherOf(callId);

        still.Signal(SiloProcess.SigStop);
        for (var i = 0; i < published; i++)
        {
            publisher.State($"{i}");
            if (i % 100 == 99) Assert.Equal((100, 0), await CountAsync(other, i - 99, i + 1));
        }
        still.Signal(SiloProcess.SigCont);
        var (_, dropped) = await CountAsync(watcher, 0, published);
        Assert.True(dropped > 0);
        publisher.Ended(EndReason.Hangup);

        foreach (var one in (NodeClient[])[watcher, other])
        {
            var rest = await one.RestAsync();
            Assert.Equal(("callEnded", 0, 2), (Kind(rest[0]), rest[1].GetProperty("status").GetInt32(), rest.Count));
        }

        // Events are in order, and gaps are where the missing ones were.
        static async Task<(int Events, int Dropped)> CountAsync(NodeClient watcher, int from, int to)
        {
            var (events, dropped) = (0, 0);
            while (from + events + dropped < to)
            {
                var next = await watcher.NextAsync();
                if (Kind(next) == "gap") dropped += next.GetProperty("gap").GetProperty("dropped").GetInt32();
                else Assert.Equal($"{from + dropped + events++}", next.GetProperty("state").GetProperty("state").GetString());
            }
            return (events, dropped);
        }
    }

    [Fact]
    public async Task ACallThatIsCreatedAtAGatewaysGrpcPort_IsJoinedThroughItsRestPort()
    {
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        var created = await NodeClient.RunAsync("unary", cluster.GrpcOf(cluster.Gateway), api.Key, new { service = "Calls", method = "create", request = new { } });
        Assert.Equal(cluster.Gateway.Url.Authority, new Uri(created.GetProperty("answer").GetProperty("joinUrl").GetString()!).Authority);
    }

    /// <summary>Watches that begin before, while and after the call ends.</summary>
    [Fact]
    public async Task AWatchThatBeginsWhileTheCallEnds_Ends()
    {
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT"}"""));
        await call.WaitForFinalAsync("agent");
        await using var flock = NodeClient.Start("flock", cluster.GrpcOf(shared.SecondGateway), api.Key, new { callId = call.CallId, count = 60, everyMs = 5 });
        Assert.True((await flock.NextAsync()).GetProperty("watching").GetBoolean());
        await call.SendAsync("""{"type":"hang_up"}""");

        var ends = (await flock.NextAsync()).GetProperty("ends").EnumerateArray().ToList();
        Assert.Equal(60, ends.Count);
        Assert.All(ends, end => Assert.Equal((0, "callEnded", 1), (end.GetProperty("status").GetInt32(), end.GetProperty("last").GetString(), end.GetProperty("ended").GetInt32())));
        await cluster.UntilUnwatchedAsync(call.CallId);
    }

    [Fact]
    public async Task AnotherAccountsCall_CannotBeWatchedOrWrittenTo()
    {
        using var mine = await cluster.CreateClientAsync(cluster.Gateway);
        using var theirs = await cluster.CreateClientAsync(cluster.Gateway);
        var callId = (await theirs.PostAsync("/api/calls", Unjoined)).Json.GetProperty("callId").GetString()!;
        await using var watcher = NodeClient.Start("watch", cluster.GrpcOf(cluster.Gateway), mine.Key, new { callId });
        Assert.Equal(5, (await watcher.RestAsync())[^1].GetProperty("status").GetInt32());
        Assert.Equal(5, (await SendAsync(cluster.Gateway, mine, callId, """{"type":"hang_up"}""")).GetProperty("code").GetInt32());
        Assert.False(await cluster.IsWatchedAsync(callId));
    }

    [Fact]
    public async Task Cancelling_FreesTheBinding_AndSoDoesTheDeathOfTheGateway()
    {
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        var callId = (await api.PostAsync("/api/calls", Unjoined)).Json.GetProperty("callId").GetString()!;
        await using var watcher = await WatchAsync(cluster.GrpcOf(cluster.Gateway), api, callId);
        Assert.True(await cluster.IsWatchedAsync(callId));
        Assert.True(await MetricAsync("voicegrains_grpc_watchers") >= 1);
        await watcher.TellAsync("cancel");
        Assert.Equal(1, (await watcher.NextAsync()).GetProperty("status").GetInt32());
        await cluster.UntilUnwatchedAsync(callId);

        var third = await cluster.AddGatewayAsync("gateway-3");
        await using var orphan = await WatchAsync(cluster.GrpcOf(third), api, callId);
        Assert.True(await cluster.IsWatchedAsync(callId));
        third.KillHard();
        await cluster.UntilUnwatchedAsync(callId);
        Assert.Equal(14, (await orphan.RestAsync())[^1].GetProperty("status").GetInt32());
    }

    internal static async Task<NodeClient> WatchAsync(Uri grpc, ApiClient api, string callId)
    {
        var watcher = NodeClient.Start("watch", grpc, api.Key, new { callId });
        Assert.True((await watcher.NextAsync()).GetProperty("watching").GetBoolean());
        return watcher;
    }

    internal static string Kind(JsonElement e) => e.TryGetProperty("event", out var kind) ? kind.GetString()! : "";

    private static bool IsFinal(JsonElement transcript, string role, string text) => transcript.TryGetProperty("final", out var final) && final.GetBoolean()
        && transcript.GetProperty("role").GetString() == role && transcript.TryGetProperty("text", out var words) && words.GetString()!.Contains(text, StringComparison.Ordinal);

    /// <summary>A transcript as data messages and protobuf both have it.</summary>
    private static (string? Role, string? Text, string? Delta, bool Final) Words(JsonElement transcript) => (
        transcript.GetProperty("role").GetString(), transcript.TryGetProperty("text", out var text) ? text.GetString() : null,
        transcript.TryGetProperty("delta", out var delta) ? delta.GetString() : null, transcript.TryGetProperty("final", out var final) && final.GetBoolean());

    private async Task SendDataAsync(SiloProcess gateway, ApiClient api, string callId, string message)
        => Assert.Equal(0, (await SendAsync(gateway, api, callId, message)).GetProperty("code").GetInt32());

    private Task<JsonElement> SendAsync(SiloProcess gateway, ApiClient api, string callId, string message) => NodeClient.RunAsync(
        "unary", cluster.GrpcOf(gateway), api.Key,
        new { service = "Calls", method = "sendDataMessage", request = JsonDocument.Parse($$$"""{"callId":"{{{callId}}}","message":{"$struct":{{{message}}} } }""").RootElement });

    /// <summary>A process of the cluster that produces on streams: here this one.</summary>
    private async Task<IHost> StartProducerAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Cluster:RabbitMq", cluster.Broker.Uri), new("Cluster:Exchange", cluster.Exchange)]);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(cluster.Database));
        builder.Services.AddGrainRuntime();
        builder.Services.AddGrainClient(builder.Configuration);
        builder.Services.AddRabbitMqStreams(builder.Configuration, LiveEventStreams.ProviderName);
        builder.Services.AddSingleton<LiveEventStreams>();
        var host = builder.Build();
        await host.StartAsync(SiloFixture.Cancel);
        return host;
    }

    private async Task<double> MetricAsync(string name)
    {
        using var http = new HttpClient();
        var lines = (await http.GetStringAsync(new Uri(cluster.Gateway.Url, "/metrics"), SiloFixture.Cancel)).Split('\n')
            .Where(line => line.StartsWith(name + " ", StringComparison.Ordinal) || line.StartsWith(name + "{", StringComparison.Ordinal)).ToList();
        return lines.Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }
}
