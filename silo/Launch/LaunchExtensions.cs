using Microsoft.Extensions.Configuration.Memory;
using VoiceGrains.Hosting.Database;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>The first step of a silo's start: where it listens, what it keeps and where.</summary>
public static class LaunchExtensions
{
    // Every other service, then PostgreSQL (at most 2.1 s more): within 5 s in total.
    private static readonly TimeSpan ServicesStopLimit = TimeSpan.FromSeconds(2.5);

    /// <summary>The silo's own, and room for an operator with psql.</summary>
    private const int MaxConnections = PrivatePostgres.PoolSize + 40;

    /// <summary>
    /// Reads the launch options, locks the data folder and registers the database, the secret key, <see cref="DataFolder"/> and
    /// <see cref="LaunchOptions"/>. Without <c>ConnectionStrings:VoiceGrains</c> a private PostgreSQL is started first of all hosted services and stopped last.
    /// </summary>
    /// <exception cref="LaunchException">Something that the person at the terminal must mend.</exception>
    public static WebApplicationBuilder AddLaunch(this WebApplicationBuilder builder, LaunchOptions options)
    {
        builder.AddDataFolder(options, isAlone: string.IsNullOrEmpty(builder.Configuration["Cluster:RabbitMq"]));
        var services = builder.Services;
        if (string.IsNullOrEmpty(builder.Configuration["Cluster:Address"]))
            builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = [new("Cluster:Address", AddressFor(options))] });
        services.Configure<HostOptions>(host => host.ShutdownTimeout = ServicesStopLimit);

        var connectionString = builder.Configuration.GetConnectionString("VoiceGrains");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            var home = PostgresHome.Prepare(options.Data);
            connectionString = PrivatePostgres.ConnectionString(home);
            services.AddSingleton(home);
            services.AddSingleton(provider => new PrivatePostgres(
                home, MaxConnections, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<PrivatePostgres>>()));
            services.Insert(0, ServiceDescriptor.Singleton<IHostedService, PrivatePostgresService>());
        }
        services.AddDatabase(connectionString);
        return builder;
    }

    /// <summary>Where other members reach this silo: as it listens, or by the machine's name where it listens on all addresses.</summary>
    private static string AddressFor(LaunchOptions options)
        => options.Bind is "*" or "0.0.0.0" or "::" ? $"http://{Environment.MachineName}:{options.Port}" : options.Url;

    /// <summary>Makes the first account of an empty database and announces the server. Registered after whatever prepares the database.</summary>
    public static WebApplicationBuilder AddFirstStart(this WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<FirstStart>();
        return builder;
    }
}
