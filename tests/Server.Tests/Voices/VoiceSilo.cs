using Microsoft.AspNetCore.Builder;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Voices;

/// <summary>A silo whose providers of clones are <see cref="CloneProviders"/>, and whose operator has a key at LMNT.</summary>
public sealed class VoiceSilo : IAsyncLifetime
{
    public const string ServersKey = "key-of-the-server";

    private TestDatabase? database;
    private WebApplication? app;

    internal CloneProviders Providers { get; } = new();

    internal IServiceProvider Services => app!.Services;

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        await Providers.StartAsync();
        app = await SiloFixture.StartAsync(database, [.. Providers.Settings, ("OwnVoices:CloneKeys:Lmnt", ServersKey), ("OwnVoices:MaxClonesPerAccount", "2")]);
    }

    public Task<ApiClient> CreateClientAsync() => SiloFixture.CreateClientAsync(app!);

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        await Providers.DisposeAsync();
        if (database is not null) await database.DisposeAsync();
    }
}
