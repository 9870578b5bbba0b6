using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Directory;
using VoiceGrains.GrainRuntime.Hosting;
using VoiceGrains.GrainRuntime.RabbitMq;
using VoiceGrains.GrainRuntime.Reminders;
using VoiceGrains.GrainRuntime.Streams;
using VoiceGrains.GrainRuntime.Streams.RabbitMq;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes a host with the grain runtime a member of a cluster.</summary>
public static class GrainClusterServiceCollectionExtensions
{
    /// <summary>
    /// Joins the cluster of the section <c>Cluster</c> when <c>Cluster:RabbitMq</c> is set; otherwise the process stays alone and calls never
    /// leave it. Call it after <see cref="GrainRuntimeServiceCollectionExtensions.AddGrainRuntime"/>.
    /// </summary>
    public static IServiceCollection AddGrainCluster(this IServiceCollection services, IConfiguration configuration, Action<ClusterOptions>? configure = null)
    {
        var section = configuration.GetSection("Cluster");
        services.AddOptions<ClusterOptions>().Bind(section).Configure(options => configure?.Invoke(options)).ValidateDataAnnotations()
            .Validate(options => options.RabbitMq is null or "" || Uri.TryCreate(options.RabbitMq, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps",
                "Cluster:RabbitMq must be an amqp:// or amqps:// URI.")
            .Validate(options => options.RenewPeriod > TimeSpan.Zero && options.RenewPeriod * 3 <= options.Lease, "Cluster:RenewPeriod must be at most a third of Cluster:Lease.")
            .Validate(options => options.Heartbeat >= TimeSpan.FromSeconds(1), "Cluster:Heartbeat must be at least one second.")
            .ValidateOnStart();
        if (string.IsNullOrEmpty(section[nameof(ClusterOptions.RabbitMq)]))
        {
            services.TryAddSingleton<IClusterMembership, SoleMembership>();
            return services;
        }
        services.AddSingleton<SiloTable>();
        services.AddSingleton<GrainDirectory>();
        services.AddSingleton<WireExceptions>();
        services.AddSingleton<ClusterMembership>();
        services.AddSingleton<IClusterMembership>(provider => provider.GetRequiredService<ClusterMembership>());
        services.AddSingleton<RabbitGrainCluster>();
        services.AddSingleton<IGrainCluster>(provider => provider.GetRequiredService<RabbitGrainCluster>());
        // Before the reminders: the first due ones already call grains.
        var reminders = services.FirstOrDefault(service => service.ImplementationType == typeof(ReminderService));
        services.Insert(
            reminders is null ? services.Count : services.IndexOf(reminders),
            ServiceDescriptor.Singleton<IRuntimePart>(provider => provider.GetRequiredService<RabbitGrainCluster>()));
        return services;
    }

    /// <summary>
    /// As <see cref="AddGrainCluster"/>, for a process that calls grains but has none, such as a gateway: it is not a member, delivers no
    /// reminders and applies no migrations. Its <c>AddGrains</c> only tell it which classes there are.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>Cluster:RabbitMq</c> is not set.</exception>
    public static IServiceCollection AddGrainClient(this IServiceCollection services, IConfiguration configuration, Action<ClusterOptions>? configure = null)
    {
        if (string.IsNullOrEmpty(configuration["Cluster:RabbitMq"]))
            throw new InvalidOperationException("A grain client needs Cluster:RabbitMq.");
        services.AddGrainCluster(configuration, options =>
        {
            configure?.Invoke(options);
            options.ClientOnly = true;
        });
        foreach (var part in services.Where(service => service.ImplementationType == typeof(MigrateAtStart) || service.ImplementationType == typeof(ReminderService)).ToArray())
            services.Remove(part);
        return services;
    }

    /// <summary>
    /// Adds a stream provider whose streams reach all processes of the cluster, under its name as a keyed <see cref="IStreamProvider"/> in place of
    /// one within the process. Does nothing unless <c>Cluster:RabbitMq</c> is set. Call it after <see cref="AddGrainCluster"/> or <see cref="AddGrainClient"/>.
    /// </summary>
    public static IServiceCollection AddRabbitMqStreams(this IServiceCollection services, IConfiguration configuration, string name)
    {
        if (string.IsNullOrEmpty(configuration["Cluster:RabbitMq"]))
            return services;
        services.AddKeyedSingleton(name, (provider, _) => ActivatorUtilities.CreateInstance<RabbitStreams>(provider, name));
        services.AddKeyedSingleton<IStreamProvider>(name, (provider, _) => new StreamProvider(provider.GetRequiredKeyedService<RabbitStreams>(name)));
        // Before the reminders, and before the cluster sends anybody here: what they start may produce at once.
        var cluster = services.FirstOrDefault(service => service.ServiceType == typeof(IRuntimePart) && service.ImplementationType != typeof(MigrateAtStart));
        services.Insert(
            cluster is null ? services.Count : services.IndexOf(cluster),
            ServiceDescriptor.Singleton<IRuntimePart>(provider => provider.GetRequiredKeyedService<RabbitStreams>(name)));
        return services;
    }
}
