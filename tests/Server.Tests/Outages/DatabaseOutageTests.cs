using Npgsql;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Outages;

/// <summary>A silo that is alone, and its PostgreSQL goes away while somebody talks.</summary>
public sealed class DatabaseOutageTests : IDisposable
{
    private readonly string folder = InitializedData.MakeFolder();

    private string Data => Path.Combine(folder, "data");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ADatabaseAway_CostsALiveCallNothing_AndRefusesNewOnes(bool connectionsHang)
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        var address = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        await using var network = new TcpProxy(address.Port);
        var throughIt = $"Host=127.0.0.1;Port={network.Port};Username={address.Username};Database={address.Database}";      // the silo's own timeouts
        await using var server = await Server.OfAsync(await SiloProcess.StartReadyAsync(Data, ("ConnectionStrings__VoiceGrains", throughIt), Conversation.RecognitionTimeout));
        await using var talk = await Conversation.StartAsync(server);
        await talk.TakeTurnAsync();

        if (connectionsHang) network.Swallow();
        else network.Cut();
        var unnoticed = server.AssertNoNewCallAsync("database_unavailable");
        await talk.TakeTurnAsync();
        await unnoticed;
        await server.UntilMissingAsync("database");
        await server.AssertNoNewCallAsync("database_unavailable");
        foreach (var path in (string[])["/api/calls", $"/api/calls/{talk.CallId}/messages", "/api/agents", "/api/voices", "/api/accounts/me"])
            await server.AssertRefusedAsync(HttpMethod.Get, path, "database_unavailable");
        await talk.TakeTurnAsync();
        await talk.HangUpAsync();
        await server.UntilMetricAsync("voicegrains_calls_ends_waiting", 1);
        await server.UntilMetricAsync("voicegrains_database_away", 1);

        network.Heal();
        await server.UntilReadyAsync();
        await talk.AssertStoredAsync();
        await server.UntilMetricAsync("voicegrains_calls_ends_waiting", 0);
        await server.UntilMetricAsync("voicegrains_database_away", 0);
        await using var next = await Conversation.StartAsync(server);
    }
}
