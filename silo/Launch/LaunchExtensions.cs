using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Silo.Launch;

/// <summary>The first step of a silo's start: where it listens, what it keeps and where.</summary>
public static class LaunchExtensions
{
    // Every other service, then PostgreSQL (at most 2.1 s more): within 5 s in total.
    private static readonly TimeSpan ServicesStopLimit = TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// Reads the launch options, locks the data folder and registers <see cref="NpgsqlDataSource"/>, <see cref="SecretKey"/>, <see cref="DataFolder"/> and
    /// <see cref="LaunchOptions"/>. Without <c>ConnectionStrings:VoiceGrains</c> a private PostgreSQL is started first of all hosted services and stopped last.
    /// </summary>
    /// <exception cref="LaunchException">Something that the person at the terminal must mend.</exception>
    public static WebApplicationBuilder AddLaunch(this WebApplicationBuilder builder, LaunchOptions options)
    {
        if (options.IsAddressStated || string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
        {
            RequireFreePort(options);
            builder.WebHost.UseUrls(options.Url);
        }
        var folder = DataFolder.Open(options.Data);
        // Lowest of all sources: whatever the operator states wins.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = [new("Blobs:Path", Path.Combine(options.Data, "blobs"))] });
        var services = builder.Services;
        services.AddSingleton(options);
        services.AddSingleton(_ => folder);      // by factory: the container disposes it, which gives up the lock
        services.AddSingleton(new SecretKey(folder.ReadOrCreateSecretKey()));
        services.TryAddSingleton(TimeProvider.System);
        services.Configure<HostOptions>(host => host.ShutdownTimeout = ServicesStopLimit);

        var connectionString = builder.Configuration.GetConnectionString("VoiceGrains");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            var home = PostgresHome.Prepare(options.Data);
            connectionString = PrivatePostgres.ConnectionString(home);
            services.AddSingleton(home);
            services.Insert(0, ServiceDescriptor.Singleton<IHostedService, PrivatePostgres>());
        }
        services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        return builder;
    }

    /// <summary>Makes the first account of an empty database and announces the server. Registered after whatever prepares the database.</summary>
    public static WebApplicationBuilder AddFirstStart(this WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<FirstStart>();
        return builder;
    }

    /// <summary>Asked before anything is started: the usual mistake, a second silo on the same port, gets its answer at once.</summary>
    private static void RequireFreePort(LaunchOptions options)
    {
        var address = IPAddress.TryParse(options.Bind, out var ip) ? ip : options.Bind == "localhost" ? IPAddress.Loopback : IPAddress.Any;
        try
        {
            using var probe = new TcpListener(address, options.Port);
            probe.Start();
        }
        catch (SocketException refused)
        {
            throw new LaunchException($"Cannot listen on {options.Url}: {refused.Message}. Choose another port with --port.", inner: refused);
        }
    }
}
