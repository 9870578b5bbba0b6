using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Directory;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>What the catalog of one process needs of the others. Absent where the process is alone.</summary>
internal interface IGrainCluster
{
    /// <summary>Whether grains of this process may serve requests: its lease is valid.</summary>
    bool MayServe { get; }

    /// <summary>Brings a request to its grain, wherever that is. Failures go to the request.</summary>
    void Send(Invocation request);

    /// <summary>The request is here, but its grain is on that silo (<see langword="null"/>: not known where).</summary>
    void SendElsewhere(Invocation request, string? owner);

    /// <summary>Asks to activate a grain here, and lets its requests come here.</summary>
    Task<Claim> ClaimAsync(GrainId grain, CancellationToken cancellationToken);

    /// <summary>The grain has been deactivated. Never throws: what cannot be released now ends with the lease.</summary>
    Task ReleaseAsync(GrainId grain, GrainOwnership ownership);
}
