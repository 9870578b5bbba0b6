using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.Grains.Calls;

/// <summary>Where the calls of this silo are, for their clients and for other members of the cluster.</summary>
internal sealed class CallPlace(IOptions<MediaOptions> media, IOptions<ClusterOptions> cluster, IClusterMembership? membership = null)
{
    public CallLocation Location => new(membership?.LocalSilo, cluster.Value.Address);

    /// <summary>Absolute where this silo has a public media address, else the path as it is.</summary>
    public string JoinUrl(string path) => media.Value.PublicUrl + path;
}
