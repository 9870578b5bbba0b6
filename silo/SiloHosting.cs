using VoiceGrains.Gateway;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Grains;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Hosting.Health;
using VoiceGrains.Hosting.Observability;
using VoiceGrains.Providers;
using VoiceGrains.Silo.Drain;
using VoiceGrains.Silo.Health;
using VoiceGrains.Silo.LiveKit;
using VoiceGrains.Silo.WebSockets;

namespace VoiceGrains.Silo;

/// <summary>What a silo is made of, whoever starts it: the program, or a test with a database of its own. Needs an <c>NpgsqlDataSource</c>.</summary>
public static class SiloHosting
{
    public static WebApplicationBuilder AddSilo(this WebApplicationBuilder builder)
    {
        builder.Services.AddGrainRuntime();
        builder.Services.AddGrainCluster(builder.Configuration, CallPlacement.ForSilo);
        builder.Services.AddVoiceGrains();
        builder.Services.AddRabbitMqStreams(builder.Configuration, LiveEventStreams.ProviderName);
        builder.Services.AddBlobStore();
        builder.Services.AddVoiceProviders(builder.Configuration);
        builder.Services.AddGateway();
        builder.AddGrpcPort();
        builder.AddObservability();
        builder.AddHealth();
        builder.Services.AddHealthChecks().AddCheck<SpeechHealthCheck>("speech", tags: [HealthExtensions.Ready]);
        builder.Services.AddSingleton<CallEntrance>();
        builder.AddRooms();
        builder.AddDrain();
        return builder;
    }

    public static WebApplication MapSilo(this WebApplication app)
    {
        app.UseDrain();
        app.UseGateway();
        app.MapHealth();
        app.MapMetrics();
        app.MapGateway();
        app.UseWebSockets();
        app.MapWebSocketIngress();
        RoomIngress.MapRooms(app);
        return app;
    }
}
