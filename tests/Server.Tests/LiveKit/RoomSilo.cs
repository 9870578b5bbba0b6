using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.LiveKit;
using VoiceGrains.Silo.WebRtc;
using VoiceGrains.Tests.Shared;

[assembly: AssemblyFixture(typeof(RoomSilo))]

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>A silo whose rooms have peers that a test connects, and speaks through, by hand: all of a WebRTC call but the network. Started by the first test that asks.</summary>
public sealed class RoomSilo : IAsyncLifetime
{
    private readonly SemaphoreSlim starting = new(1);
    private TestDatabase? database;
    private WebApplication? app;

    internal FakePeers Peers { get; } = new();

    public IServiceProvider Services => app!.Services;

    internal RoomTokens Tokens => Services.GetRequiredService<RoomTokens>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A new account with a key of its own.</summary>
    public async Task<ApiClient> CreateClientAsync()
    {
        await starting.WaitAsync(SiloFixture.Cancel);
        try
        {
            database ??= await PostgresServer.CreateDatabaseAsync();
            app ??= await SiloFixture.StartAsync(database, services => services.AddSingleton<IRoomPeerFactory>(Peers),
                ("Calls:Resume:Grace", "00:00:20"), ("WebRtc:ReconnectGrace", "00:00:05"), ("WebRtc:LeaveGrace", "00:00:01"), ("WebRtc:ConnectTimeout", "00:01:00"), ("WebRtc:MaxListeners", "2"));
        }
        finally
        {
            starting.Release();
        }
        return await SiloFixture.CreateClientAsync(app);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        if (database is not null) await database.DisposeAsync();
    }
}
