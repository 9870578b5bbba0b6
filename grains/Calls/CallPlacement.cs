using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.Grains.Calls;

/// <summary>Where calls are placed: on the least loaded silo with the role <c>media</c>, since their conversation runs beside their grain.</summary>
public static class CallPlacement
{
    /// <summary>Role of the silos that carry calls.</summary>
    public const string MediaRole = "media";

    /// <summary>The same in every process of a cluster: whoever asks for a grain places it.</summary>
    public static void Require(ClusterOptions options) => options.RequiredRoles.TryAdd("call", MediaRole);

    /// <summary>A silo for which no role is configured carries calls.</summary>
    public static void ForSilo(ClusterOptions options)
    {
        Require(options);
        if (options.Roles.Count == 0) options.Roles.Add(MediaRole);
    }
}
