namespace VoiceGrains.Silo.Drain;

/// <summary>How a silo leaves; section <c>Drain</c>.</summary>
public sealed class DrainOptions
{
    /// <summary>Default of <see cref="Timeout"/> where other silos take the new calls meanwhile.</summary>
    public static readonly TimeSpan ClusterTimeout = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long live calls may go on after the signal to stop, 0 to 24 h; then they are ended. Default 15 min where <c>Cluster:RabbitMq</c> is configured,
    /// else 0: a silo that is alone stops at once, since nobody else would take new calls while it waits.
    /// </summary>
    public TimeSpan Timeout { get; set; }

    /// <summary>What refused clients are told to wait, 1 s to 1 h. Default 5 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(5);
}
