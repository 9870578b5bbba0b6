using Npgsql;
using VoiceGrains.Server.Tests.Grpc;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>Calls whose silo dies and whose client does not come back, in a cluster that waits two seconds for it.</summary>
[Collection(ShortGraceCollection.Name)]
public sealed class AbandonedCallTests(ShortGraceCluster shared) : IAsyncLifetime
{
    private const string Prompt = """
        When the call starts: say "Hello, this is Anna."
        When the user says "one": say "First."
        """;

    private readonly ClusterProcesses cluster = shared.Processes;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await cluster.MendAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task ItEndsOnAnotherSilo_AndItsPlaceIsFree()
    {
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        await AllowOneCallAsync(api);
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT"}"""));
        await call.WaitForFinalAsync("agent");
        cluster.Silo(await cluster.SiloOfAsync(call.CallId)).KillHard();
        Assert.Equal(429, (await api.PostAsync("/api/calls", "{}")).Status);        // its client may still come back
        Assert.Equal("connection_error", (await call.EndedAsync()).GetProperty("endReason").GetString());
        await call.ListUntilAsync("events?type=call_ended", list => list.Count == 1);
        Assert.Equal(201, (await api.PostAsync("/api/calls", "{}")).Status);
    }

    [Fact]
    public async Task ItsWatchEndsWithIt()
    {
        using var api = await cluster.CreateClientAsync(cluster.Gateway);
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(Prompt, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT"}"""));
        await using var watcher = await ClusterWatchTests.WatchAsync(cluster.GrpcOf(cluster.Gateway), api, call.CallId);
        await call.JoinAsync();
        await call.WaitForFinalAsync("agent");

        cluster.Silo(await cluster.SiloOfAsync(call.CallId)).KillHard();
        var rest = watcher.RestAsync();
        while (!rest.IsCompleted)
        {
            // Whoever asks for the call makes the other silo take it over.
            await api.PostAsync($"/api/calls/{call.CallId}/send_data_message", """{"type":"user_text_message","text":"one"}""");
            await Task.WhenAny(rest, Task.Delay(500, Cancel));
        }
        var seen = await rest;
        Assert.Equal(("gap", "callEnded", 0), (ClusterWatchTests.Kind(seen[^3]), ClusterWatchTests.Kind(seen[^2]), seen[^1].GetProperty("status").GetInt32()));
        Assert.True(seen[^3].GetProperty("gap").GetProperty("atLeast").GetBoolean());       // what the silo had last to say nobody knows
        await cluster.UntilUnwatchedAsync(call.CallId);
    }

    /// <summary>Before a gateway has seen the account: it remembers one for a while.</summary>
    private async Task AllowOneCallAsync(ApiClient api)
    {
        await using var database = NpgsqlDataSource.Create(cluster.Database);
        await using var command = database.CreateCommand("update accounts set allowed_concurrent_calls = 1 where account_id = $1");
        command.Parameters.Add(new() { Value = api.Account.AccountId });
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
