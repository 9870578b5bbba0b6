using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>How this process takes part in a cluster. Bound to the section <c>Cluster</c>.</summary>
public sealed class ClusterOptions
{
    internal const int LargestMaxMessageBytes = 128 * 1_024 * 1_024;

    /// <summary>The broker, as an <c>amqp://</c> or <c>amqps://</c> URI. Empty: one process alone, without RabbitMQ.</summary>
    public string? RabbitMq { get; set; }

    /// <summary>Whether this process is all there is.</summary>
    public bool IsAlone => string.IsNullOrEmpty(RabbitMq);

    /// <summary>Name of this silo for people. Default: the machine's. A random part is added, so that every life of a process has its own id.</summary>
    public string Name { get; set; } = Environment.MachineName;

    /// <summary>Name of the exchange that all silos of one cluster share. Default <c>grains</c>.</summary>
    [Required]
    public string Exchange { get; set; } = "grains";

    /// <summary>What this silo is for, such as <c>media</c>. Grain types that <see cref="RequiredRoles"/> names are placed by it.</summary>
    public IList<string> Roles { get; init; } = [];

    /// <summary>More about this silo, for people and for the host's own choices, such as <c>region</c>.</summary>
    public IDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Grain type to the role that a silo must have to activate it. Types without an entry go to any silo that knows them.</summary>
    public IDictionary<string, string> RequiredRoles { get; init; } = new Dictionary<string, string>();

    /// <summary>Where this silo's public end points are, as other members should name them. Only shown and listed, never dialled by the runtime.</summary>
    public string? Address { get; set; }

    /// <summary>Only calls grains, never activates one (a gateway).</summary>
    public bool ClientOnly { get; set; }

    /// <summary>Most activations here; a full silo refuses more and the caller asks another. Default 100,000.</summary>
    [Range(1, int.MaxValue)]
    public int MaxActivations { get; set; } = 100_000;

    /// <summary>How long a silo counts as alive after it was last heard of, by PostgreSQL's clock. Default 6 s.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>How often the lease is renewed. Default 2 s; at most a third of <see cref="Lease"/>.</summary>
    public TimeSpan RenewPeriod { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>AMQP heartbeat, in whole seconds; a peer that is silent for two to three of them is disconnected. Default 2 s.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Largest request or result in bytes; a larger one fails at its sender, a request also at a receiver whose limit is lower. Default 4 MiB.</summary>
    [Range(1_024, LargestMaxMessageBytes)]
    public int MaxMessageBytes { get; set; } = 4 * 1_024 * 1_024;

    /// <summary>Messages that may wait to be sent; when full, requests fail with <see cref="Orleans.Runtime.LimitExceededException"/>. Default 10,000.</summary>
    [Range(1, int.MaxValue)]
    public int SendQueueLength { get; set; } = 10_000;

    /// <summary>
    /// Stream events that the broker keeps for a process that does not keep up with them; beyond it the oldest go, and subscribers are told how
    /// many. Default 10,000.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int StreamQueueLength { get; set; } = 10_000;

    /// <summary>How arguments and results are written. Default: that of <see cref="GrainRuntimeOptions.StateSerializer"/>.</summary>
    public JsonSerializerOptions? Serializer { get; set; }
}
