using Orleans.Placement;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>Why no silo can be chosen.</summary>
/// <param name="Text">For the caller.</param>
/// <param name="IsForRoom">A silo that is full could have taken the grain.</param>
internal sealed record PlacementProblem(string Text, bool IsForRoom);

/// <summary>Chooses the silo on which a grain is activated.</summary>
internal static class Placement
{
    /// <summary>The chosen silo, or <see langword="null"/> and why there is none.</summary>
    /// <param name="grain">What is to be activated.</param>
    /// <param name="grainClass">Its class; the attributes on it choose the rule, the least loaded silo where there are none.</param>
    /// <param name="requiredRole">Role that the silo must have, if any.</param>
    /// <param name="local">The silo that asks, if it may activate.</param>
    /// <param name="refused">Silos that have said no to this request.</param>
    public static (SiloInfo? Silo, PlacementProblem? Problem) Choose(
        ClusterView view, GrainId grain, Type grainClass, string? requiredRole, string? local, IReadOnlySet<string> refused, Random random)
    {
        SiloInfo[] able = [.. view.Silos.Where(silo => silo.GrainTypes.Contains(grain.Type) && (requiredRole is null || silo.Roles.Contains(requiredRole)))];
        if (able.Length == 0)
        {
            var role = requiredRole is null ? "" : $" and has the role '{requiredRole}'";
            return (null, new($"No silo of the cluster knows the grain type '{grain.Type}'{role}.", IsForRoom: false));
        }
        SiloInfo[] open = [.. able.Where(silo => !silo.Draining && view.Load(silo) < 1 && !refused.Contains(silo.Id))];
        if (open.Length == 0)
        {
            var isForRoom = Array.Exists(able, silo => !silo.Draining && view.Load(silo) >= 1);
            return (null, new($"All {able.Length} silos that could activate grain {grain} are full, draining or have refused.", isForRoom));
        }
        if (grainClass.IsDefined(typeof(PreferLocalPlacementAttribute), inherit: true) && Array.Find(open, silo => silo.Id == local) is { } here)
            return (here, null);
        if (grainClass.IsDefined(typeof(RandomPlacementAttribute), inherit: true))
            return (open[random.Next(open.Length)], null);
        var least = open.Min(view.Load);
        SiloInfo[] equal = [.. open.Where(silo => view.Load(silo) <= least)];
        return (equal[random.Next(equal.Length)], null);
    }
}
