namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>Who is in the cluster. Also there without one: then this process is its only member.</summary>
public interface IClusterMembership
{
    /// <summary>Id of this process in the cluster; <see langword="null"/> while it is not a member, and in a client.</summary>
    string? LocalSilo { get; }

    /// <summary>Whether grains elsewhere can be reached: the broker is connected, and a silo's lease is valid.</summary>
    bool IsConnected { get; }

    /// <summary>Whether RabbitMQ is connected. True where there is no cluster.</summary>
    bool IsBrokerConnected { get; }

    /// <summary>The silos that are alive, the longest-lived first. Clients are not listed.</summary>
    Task<IReadOnlyList<SiloInfo>> ListAsync(CancellationToken cancellationToken);

    /// <summary>The silos whose lease ended within the last minute: dead, stopped, or cut off from the database.</summary>
    Task<IReadOnlyList<SiloInfo>> ListLapsedAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<SiloInfo>>([]);

    /// <summary>Takes this silo out of placement at once: its grains stay, new ones go elsewhere. Idempotent.</summary>
    Task DrainAsync(CancellationToken cancellationToken);
}

/// <summary>One silo as its last heartbeat described it.</summary>
/// <param name="Id">One life of one process.</param>
/// <param name="Name">As configured.</param>
/// <param name="Version">Of the program.</param>
/// <param name="Address">Public end point, where configured.</param>
/// <param name="Roles">What it is for.</param>
/// <param name="Labels">More about it.</param>
/// <param name="GrainTypes">What it can activate.</param>
/// <param name="Activations">Grains in its memory.</param>
/// <param name="MaxActivations">How many it takes.</param>
/// <param name="Draining">Takes no new grains.</param>
/// <param name="Started">By PostgreSQL's clock.</param>
public sealed record SiloInfo(
    string Id, string Name, string Version, string? Address, IReadOnlyList<string> Roles, IReadOnlyDictionary<string, string> Labels,
    IReadOnlyList<string> GrainTypes, int Activations, int MaxActivations, bool Draining, DateTimeOffset Started)
{
    /// <summary>Share of <see cref="MaxActivations"/> in use, 0 to 1.</summary>
    public double Load => (double)Activations / MaxActivations;
}
