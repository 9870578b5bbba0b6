using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Grpc;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

[assembly: AssemblyFixture(typeof(GrpcSilo))]

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>A silo with the gRPC port. Calls in English (<c>language_hint</c> "en") are heard by pocketsphinx.</summary>
public sealed class GrpcSilo : IAsyncLifetime
{
    private TestDatabase? database;
    private WebApplication? app;

    public IServiceProvider Services => app!.Services;

    /// <summary>Of REST and media.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public Uri GrpcAddress { get; private set; } = new("http://127.0.0.1");

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        app = await SiloFixture.StartAsync(database, ("Grpc:Port", "0"), ("Recognizers:Languages:en", "pocketsphinx"));
        Address = SiloFixture.AddressOf(app);
        GrpcAddress = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Last());
        Assert.NotEqual(Address, GrpcAddress);
    }

    /// <summary>A new account with a key of its own, over REST.</summary>
    public async Task<ApiClient> CreateClientAsync()
    {
        var accounts = Services.GetRequiredService<AccountStore>();
        var account = await accounts.CreateAsync("Test", AccountSetup.SelfHostedPlan, SiloFixture.Cancel);
        var key = await accounts.CreateKeyAsync(account.AccountId, "test", null, SiloFixture.Cancel);
        return new(Address, account, key.Text);
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
