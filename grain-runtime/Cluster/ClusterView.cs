using System.Collections.Concurrent;

namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>The members as they were when last looked at, and what has been placed on them since.</summary>
/// <param name="rows">The members.</param>
/// <param name="lookedAt">Timestamp from before the look.</param>
internal sealed class ClusterView(IReadOnlyList<SiloRow> rows, long lookedAt)
{
    private readonly ConcurrentDictionary<string, int> _placed = new();

    public static ClusterView Empty { get; } = new([], long.MinValue);

    /// <summary>The silos that are alive.</summary>
    public IReadOnlyList<SiloInfo> Silos { get; } = [.. rows.Where(row => row.IsAlive).Select(row => row.Silo)];

    /// <summary>
    /// A silo's lease has lapsed lately: it may still hold its bindings and swallow requests. While this is so, the directory is asked where
    /// a grain is.
    /// </summary>
    public bool HasSuspects { get; } = rows.Any(row => !row.IsAlive);

    /// <summary>Whether a silo that was known at that time has died since. One that joined after the last look has not.</summary>
    public bool HasDied(string silo, long knownAt) => lookedAt > knownAt && !Silos.Any(member => member.Id == silo);

    /// <summary>Its load, with what has been placed there since it was reported.</summary>
    public double Load(SiloInfo silo) => (silo.Activations + _placed.GetValueOrDefault(silo.Id)) / (double)silo.MaxActivations;

    public void Placed(string silo) => _placed.AddOrUpdate(silo, 1, static (_, count) => count + 1);
}
