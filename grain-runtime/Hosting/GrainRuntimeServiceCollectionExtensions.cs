using System.Reflection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using Orleans.Streams;
using VoiceGrains.GrainRuntime;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Hosting;
using VoiceGrains.GrainRuntime.Reminders;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.GrainRuntime.Streams;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the grain runtime to a host.</summary>
public static class GrainRuntimeServiceCollectionExtensions
{
    /// <summary>
    /// Adds the runtime with state and reminders in the PostgreSQL of the registered <see cref="NpgsqlDataSource"/>. Register it before hosted
    /// services that call grains or read tables: migrations are applied when it starts.
    /// </summary>
    public static IServiceCollection AddGrainRuntime(this IServiceCollection services, Action<GrainRuntimeOptions>? configure = null)
    {
        services.AddOptions<GrainRuntimeOptions>().Configure(options => configure?.Invoke(options)).ValidateDataAnnotations()
            .Validate(options => options.ResponseTimeout > TimeSpan.Zero, "ResponseTimeout must be above zero.")
            .Validate(options => options.MonitorPeriod > TimeSpan.Zero, "MonitorPeriod must be above zero.")
            .Validate(options => options.ReminderLease > options.ResponseTimeout, "ReminderLease must be longer than ResponseTimeout.")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<GrainClasses>();
        services.AddSingleton<RuntimeLog>();
        services.AddSingleton<GrainCatalog>();
        services.AddSingleton<GrainDispatcher>();
        services.AddSingleton<IGrainFactory>(provider => provider.GetRequiredService<GrainDispatcher>());
        services.AddSingleton<ActivationMonitor>();
        services.AddHostedService<GrainRuntimeService>();

        services.TryAddSingleton<IGrainStateStore, PostgresStateStore>();
        services.AddMigrations(typeof(GrainRuntimeOptions).Assembly, "grain-runtime", order: 0);
        services.AddSingleton(provider => new SchemaMigrations(
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetServices<MigrationSource>(),
            provider.GetRequiredService<ILogger<SchemaMigrations>>()));
        services.AddSingleton<IRuntimePart, MigrateAtStart>();

        services.TryAddSingleton<IReminderStore, PostgresReminderStore>();
        services.AddSingleton<ReminderRegistry>();
        services.AddSingleton<IRuntimePart, ReminderService>();
        return services;
    }

    /// <summary>Adds a stream provider within this process, under its name as a keyed <see cref="IStreamProvider"/>.</summary>
    public static IServiceCollection AddInProcessStreams(this IServiceCollection services, string name) =>
        services.AddKeyedSingleton<IStreamProvider>(name, (provider, _) => new StreamProvider(ActivatorUtilities.CreateInstance<InProcessStreams>(provider, name)));

    /// <summary>Lets the runtime activate the grain classes of an assembly, internal ones too.</summary>
    public static IServiceCollection AddGrains(this IServiceCollection services, Assembly assembly) =>
        services.AddSingleton(new GrainAssembly(assembly));

    /// <summary>Adds the SQL files that an assembly embeds as <c>Migrations/NNNN_name.sql</c>.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="assembly">Holds the files.</param>
    /// <param name="scope">Stored with each file, so never renamed. Numbers count within it.</param>
    /// <param name="order">Lower ones are applied first; the runtime's own is 0.</param>
    public static IServiceCollection AddMigrations(this IServiceCollection services, Assembly assembly, string scope, int order) =>
        services.AddSingleton(new MigrationSource(assembly, scope, order));

    /// <summary>For tests: keeps grain state and reminders in memory, without a database, projections or migrations. Call after <see cref="AddGrainRuntime"/>.</summary>
    public static IServiceCollection UseInMemoryGrainStorage(this IServiceCollection services)
    {
        services.Replace(ServiceDescriptor.Singleton<IGrainStateStore, InMemoryStateStore>());
        services.Replace(ServiceDescriptor.Singleton<IReminderStore, InMemoryReminderStore>());
        var migrate = services.First(service => service.ImplementationType == typeof(MigrateAtStart));
        services.Remove(migrate);
        return services;
    }
}
