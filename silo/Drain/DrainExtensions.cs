using Microsoft.Extensions.DependencyInjection.Extensions;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Hosting.Health;

namespace VoiceGrains.Silo.Drain;

/// <summary>Registers how a silo leaves.</summary>
public static class DrainExtensions
{
    /// <summary>Needs <see cref="CallAdmission"/> and health checks.</summary>
    public static WebApplicationBuilder AddDrain(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<DrainOptions>().Configure<IConfiguration>(UseDefaults).BindConfiguration("Drain")
            .Validate(drain => drain.Timeout >= TimeSpan.Zero && drain.Timeout <= TimeSpan.FromDays(1), "Drain:Timeout must be 0 to 24 h (hh:mm:ss).")
            .Validate(drain => drain.RetryAfter >= TimeSpan.FromSeconds(1) && drain.RetryAfter <= TimeSpan.FromHours(1), "Drain:RetryAfter must be 1 s to 1 h (hh:mm:ss).")
            .ValidateOnStart();
        services.AddSingleton<SiloDrain>();
        services.AddSingleton<DrainMetrics>();
        services.AddHealthChecks().AddCheck<AdmissionHealthCheck>("admission", tags: [HealthExtensions.Ready]);
        return builder;
    }

    /// <summary>Lets signals drain the silo. For a program: a test's host has signals of its own.</summary>
    public static WebApplicationBuilder AddDrainSignals(this WebApplicationBuilder builder)
    {
        builder.Services.RemoveAll<IHostLifetime>();
        builder.Services.AddSingleton<IHostLifetime, SignalLifetime>();
        return builder;
    }

    /// <summary>Whatever stops the host, calls are refused from then on.</summary>
    public static WebApplication UseDrain(this WebApplication app)
    {
        app.Lifetime.ApplicationStopping.Register(app.Services.GetRequiredService<SiloDrain>().CloseAdmission);
        app.Services.GetRequiredService<DrainMetrics>();        // made now, not at first use: a gauge is there from the start
        return app;
    }

    private static void UseDefaults(DrainOptions drain, IConfiguration configuration)
        => drain.Timeout = string.IsNullOrEmpty(configuration["Cluster:RabbitMq"]) ? TimeSpan.Zero : DrainOptions.ClusterTimeout;
}
