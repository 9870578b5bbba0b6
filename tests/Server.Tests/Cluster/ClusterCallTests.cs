using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using VoiceGrains.Server.Tests.Drain;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>Calls in a cluster of real processes, as clients of its gateway see them.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterCallTests(SharedCluster shared) : IAsyncLifetime
{
    private readonly ClusterProcesses cluster = shared.Processes;
    private readonly HttpClient http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await cluster.MendAsync();

    public ValueTask DisposeAsync()
    {
        http.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task AKilledSilo_TakesOnlyItsOwnCalls_AndNewOnesGoOn()
    {
        var calls = new List<(string CallId, string Silo, LiveClient Client)>();
        await UntilNoCallIsLiveAsync();
        try
        {
            // A silo that has just been started has room for many more than the other: they come in between, and nobody joins them.
            await Poll.UntilAsync(async () =>
            {
                var (callId, joinUrl) = await CreateAsync();
                Assert.Equal(cluster.Gateway.Url.Authority, joinUrl.Authority);      // no silo has a public address: media comes through the gateway
                var silo = await cluster.SiloOfAsync(callId);
                if (calls.Any(call => call.Silo == silo)) return false;
                var client = await LiveClient.JoinAsync(joinUrl);
                calls.Add((callId, silo, client));
                Assert.NotEmpty(await client.AskAsync("Hello?"));
                return calls.Count == 2;
            }, () => $"All calls went to silo {calls.FirstOrDefault().Silo}.");
            Assert.Equal(["one", "two"], calls.Select(call => call.Silo).Order());
            Assert.Equal(calls.Count, await LiveCallsAsync());

            cluster.Silo("one").KillHard();
            foreach (var (callId, _, client) in calls.Where(call => call.Silo == "two"))
            {
                Assert.NotEmpty(await client.AskAsync("Are you still there?"));
                var messages = (await GetAsync($"/api/calls/{callId}")).GetProperty("ended");
                Assert.Equal(JsonValueKind.Null, messages.ValueKind);
            }
            foreach (var (_, _, client) in calls.Where(call => call.Silo == "one"))
                await client.EndOfCallAsync();

            await using var fresh = await JoinSoonAsync(LiveCall.Patience);
            Assert.NotEmpty(await fresh.AskAsync("Hello again?"));

            var survivor = calls.First(call => call.Silo == "two");
            await survivor.Client.HangUpAsync();
            var texts = (await GetAsync($"/api/calls/{survivor.CallId}/messages")).GetProperty("results").EnumerateArray().Select(m => m.GetProperty("text").GetString());
            Assert.Contains("Are you still there?", texts);
        }
        finally
        {
            foreach (var (_, _, client) in calls) await client.DisposeAsync();
        }
    }

    /// <summary>Join socket and signalling find their way from the gateway and from the silo that does not have the call; the client is told the address that it came to.</summary>
    [Fact]
    public async Task ARoom_IsReachedFromEverywhere()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(cluster.Gateway.Url, "/api/calls")) { Content = JsonContent.Create(new { }) };
        request.Headers.Add("X-API-Key", (await File.ReadAllTextAsync(Path.Combine(cluster.Gateway.Data, "api-key"), Cancel)).Trim());
        using var created = await http.SendAsync(request, Cancel);
        var call = await created.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        using var join = new System.Net.WebSockets.ClientWebSocket();
        await join.ConnectAsync(new Uri(call.GetProperty("joinUrl").GetString()!), Cancel);
        var buffer = new byte[8_192];
        var part = await join.ReceiveAsync(buffer.AsMemory(), Cancel);
        var info = JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, part.Count));
        var (room, token) = (new Uri(info.GetProperty("roomUrl").GetString()!), info.GetProperty("token").GetString()!);
        Assert.Equal(cluster.Gateway.Url.Authority, room.Authority);
        foreach (var server in (Uri[])[cluster.Gateway.Url, cluster.Silo("one").Url, cluster.Silo("two").Url])
        {
            var url = new UriBuilder(room) { Host = server.Host, Port = server.Port }.Uri.AbsoluteUri;
            await using var client = await LiveKit.SignalClient.ConnectAsync(url, token);
            Assert.Equal("user", client.Join.Participant.Identity);
            using var validated = await http.GetAsync($"http{url[2..]}/rtc/validate?access_token=TOKEN", Cancel);
            Assert.Equal((HttpStatusCode.Unauthorized, "*"), (validated.StatusCode, validated.Headers.GetValues("Access-Control-Allow-Origin").Single()));
        }
        await join.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, Cancel);
    }

    [Fact]
    public async Task AJoinThroughTheGateway_IsAnsweredAsTheSiloWould()
    {
        var (callId, joinUrl) = await CreateAsync();
        await using (var client = await LiveClient.JoinAsync(joinUrl))
        {
            Assert.NotEmpty(await client.AskAsync("Hello?"));
            await client.HangUpAsync();
        }

        var plain = new UriBuilder(joinUrl) { Scheme = "http" }.Uri;
        using var withoutUpgrade = await http.GetAsync(plain, Cancel);
        Assert.Equal(HttpStatusCode.UpgradeRequired, withoutUpgrade.StatusCode);
        Assert.Equal("upgrade_required", (await withoutUpgrade.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("code").GetString());
        await using var late = new LiveClient();
        Assert.NotNull(await late.TryJoinAsync(joinUrl));
        Assert.Equal(HttpStatusCode.Gone, late.JoinStatus);
        await using var lost = new LiveClient();
        Assert.NotNull(await lost.TryJoinAsync(new Uri(joinUrl.AbsoluteUri.Replace(callId, Guid.NewGuid().ToString(), StringComparison.Ordinal))));
        Assert.Equal(HttpStatusCode.NotFound, lost.JoinStatus);

        using var elsewhere = await http.GetAsync(new Uri(cluster.Gateway.Url, "/health/ready"), Cancel);
        Assert.Equal(HttpStatusCode.OK, elsewhere.StatusCode);
    }

    private async Task<(string CallId, Uri JoinUrl)> CreateAsync()
    {
        using var reply = await LiveClient.CreateAsync(http, cluster.Gateway);
        Assert.True(reply.StatusCode == HttpStatusCode.Created, await reply.Content.ReadAsStringAsync(Cancel));
        var call = await reply.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        return (call.GetProperty("callId").GetString()!, new Uri(call.GetProperty("joinUrl").GetString()!));
    }

    /// <summary>As a client does: refused with 503, it comes again.</summary>
    private async Task<LiveClient> JoinSoonAsync(TimeSpan limit)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        late.CancelAfter(limit);
        while (true)
        {
            using var reply = await LiveClient.CreateAsync(http, cluster.Gateway).WaitAsync(late.Token);
            if (reply.StatusCode == HttpStatusCode.Created)
            {
                var client = new LiveClient();
                if (await client.TryJoinAsync(new Uri((await reply.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("joinUrl").GetString()!)) is null) return client;
                await client.DisposeAsync();
            }
            else Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.StatusCode);
            await Task.Delay(100, late.Token);
        }
    }

    /// <summary>What the tests before left behind is over.</summary>
    private Task UntilNoCallIsLiveAsync() => Poll.UntilAsync(async () => await LiveCallsAsync() == 0, () => "Calls of the tests before are still live.");

    private async Task<int> LiveCallsAsync()
        => (await GetAsync("/api/cluster/silos")).EnumerateArray().Sum(silo => silo.GetProperty("liveCalls").GetInt32());

    private async Task<JsonElement> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(cluster.Gateway.Url, path));
        request.Headers.Add("X-API-Key", (await File.ReadAllTextAsync(Path.Combine(cluster.Gateway.Data, "api-key"), Cancel)).Trim());
        using var reply = await http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return await reply.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }
}
