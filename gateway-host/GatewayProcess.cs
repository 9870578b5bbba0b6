using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using VoiceGrains.Gateway;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Gateway.Joining;
using VoiceGrains.Grains;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Hosting.Database;
using VoiceGrains.Hosting.Health;
using VoiceGrains.Hosting.Launch;
using VoiceGrains.Hosting.Observability;
using VoiceGrains.Providers;

namespace VoiceGrains.GatewayHost;

/// <summary>A gateway as a process of its own: the REST and gRPC edge of a cluster. It keeps nothing, so there may be any number of them.</summary>
internal static class GatewayProcess
{
    /// <summary>Open requests and joins that pass through end within this when the process is told to stop.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(4);

    /// <exception cref="LaunchException">The database or the broker is not configured.</exception>
    public static void AddGatewayProcess(this WebApplicationBuilder builder, LaunchOptions options)
    {
        var (configuration, services) = (builder.Configuration, builder.Services);
        if (configuration.GetConnectionString("VoiceGrains") is not { Length: > 0 } database)
            throw new LaunchException("A gateway needs the cluster's database: set ConnectionStrings__VoiceGrains.", LaunchException.Usage);
        if (string.IsNullOrEmpty(configuration["Cluster:RabbitMq"]))
            throw new LaunchException("A gateway needs the cluster's broker: set Cluster__RabbitMq.", LaunchException.Usage);
        builder.AddDataFolder(options);
        services.Configure<HostOptions>(host => host.ShutdownTimeout = StopLimit);
        services.AddDatabase(database);
        services.AddGrainRuntime();
        services.AddGrainClient(configuration, CallPlacement.Require);
        services.AddVoiceGrainClient();
        services.AddRabbitMqStreams(configuration, LiveEventStreams.ProviderName);
        services.AddBlobStore();
        services.AddVoiceProviders(configuration);
        services.AddGateway();
        builder.AddGrpcPort();
        builder.AddObservability();
        builder.AddHealth();
    }

    public static void MapGatewayProcess(this WebApplication app)
    {
        app.UseGateway();
        app.MapHealth();
        app.MapMetrics();
        app.MapGateway();
        app.MapRoomChecks();
        app.MapJoinTunnel();
        app.Lifetime.ApplicationStarted.Register(() => Announce(app));
    }

    private static void Announce(WebApplication app)
    {
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? app.Services.GetRequiredService<LaunchOptions>().Url;
        app.Services.GetRequiredService<DataFolder>().WriteUrl(url);
        Console.WriteLine($"VoiceGrains is ready on {url}");
    }
}
