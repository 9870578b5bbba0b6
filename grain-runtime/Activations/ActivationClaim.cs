using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Directory;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>An activation's right to be the one of its grain in the cluster. A process that is alone needs none.</summary>
internal sealed class ActivationClaim(GrainId grain, GrainCatalog catalog)
{
    private Claim? _refused;

    /// <summary>What lets the activation write its state, in a cluster.</summary>
    public GrainOwnership? Ownership { get; private set; }

    /// <summary>The cluster that has refused the claim; <see langword="null"/> when nobody has.</summary>
    public IGrainCluster? RefusedBy => _refused is null ? null : catalog.Cluster;

    /// <summary>The silo that has the grain instead, where it was known.</summary>
    public string? Owner => _refused?.Owner;

    /// <summary>Claims the grain for this silo. False when it is another one's.</summary>
    /// <exception cref="TimeoutException">The directory did not answer in time.</exception>
    public async Task<bool> TryAcquireAsync()
    {
        if (catalog.Cluster is not { } cluster)
            return true;
        using var timeout = new CancellationTokenSource(catalog.Options.ActivationTimeout, catalog.Clock);
        Claim claim;
        try
        {
            claim = await cluster.ClaimAsync(grain, timeout.Token);
        }
        catch (OperationCanceledException exception) when (timeout.IsCancellationRequested)
        {
            throw new TimeoutException($"The directory did not say within {catalog.Options.ActivationTimeout} whether {grain} may be activated.", exception);
        }
        Ownership = claim.Ownership;
        _refused = claim.Ownership is null ? claim : null;
        return _refused is null;
    }

    /// <summary>Gives the grain to whoever wants it next. Never throws.</summary>
    public Task ReleaseAsync() =>
        catalog.Cluster is { } cluster && Ownership is { } ownership ? cluster.ReleaseAsync(grain, ownership) : Task.CompletedTask;
}
