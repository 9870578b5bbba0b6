using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>The grains in memory.</summary>
internal sealed class GrainCatalog(
    GrainClasses classes, IServiceProvider services, IOptions<GrainRuntimeOptions> options, TimeProvider clock, RuntimeLog log)
{
    private readonly ConcurrentDictionary<GrainId, Activation> _activations = new();
    private readonly Lazy<IGrainCluster?> _cluster = new(services.GetService<IGrainCluster>);     // late: it needs the catalog
    private volatile bool _stopping;

    public GrainRuntimeOptions Options { get; } = options.Value;

    public IServiceProvider Services => services;

    public TimeProvider Clock => clock;

    public RuntimeLog Log => log;

    /// <summary>Resolved late: the dispatcher needs the catalog.</summary>
    public GrainDispatcher Dispatcher => field ??= services.GetRequiredService<GrainDispatcher>();

    /// <summary>The other processes; <see langword="null"/> when this one is alone.</summary>
    public IGrainCluster? Cluster => _cluster.Value;

    /// <summary>Those there are while they are looked at one by one: nothing is copied, and nobody waits.</summary>
    public IEnumerable<Activation> Activations => _activations.Select(entry => entry.Value);

    public int Count => _activations.Count;

    public bool IsStopping => _stopping;

    public bool Contains(GrainId grain) => _activations.ContainsKey(grain);

    /// <summary>Gives the request to its grain, activated if need be. Failures go to the request.</summary>
    public void Dispatch(Invocation request)
    {
        try
        {
            while (!Find(request).TryPost(request))
            {
                // It ended between the look-up and the post: look again.
            }
        }
        catch (Exception exception)
        {
            request.Reject(exception);
        }
    }

    /// <summary>Ends activations that this silo may no longer have.</summary>
    /// <param name="except">Those that it may; none of them when <see langword="null"/>.</param>
    public void DeactivateAll(DeactivationReason reason, IReadOnlySet<GrainId>? except = null)
    {
        foreach (var activation in Activations.Where(activation => except?.Contains(activation.GrainId) != true))
            activation.Deactivate(reason);
    }

    public void Remove(Activation activation) => _activations.TryRemove(KeyValuePair.Create(activation.GrainId, activation));

    /// <summary>Refuses new activations and ends those there are. The task completes when all have ended.</summary>
    public async Task StopAsync()
    {
        _stopping = true;
        while (!_activations.IsEmpty)       // twice if one was being added
        {
            Activation[] all = [.. Activations];
            foreach (var activation in all)
                activation.Deactivate(new(DeactivationReasonCode.ShuttingDown, "The host is stopping."));
            await Task.WhenAll(all.Select(activation => activation.Deactivated)).ConfigureAwait(false);
        }
    }

    private Activation Find(Invocation request)
    {
        var grainId = request.Target;
        if (_activations.TryGetValue(grainId, out var activation))
            return activation;
        if (_stopping)
            throw new SiloUnavailableException($"The host is stopping: grain {grainId} is not activated any more.");
        var created = new Activation(grainId, classes.OfType(grainId.Type), this);
        activation = _activations.GetOrAdd(grainId, created);
        if (activation == created)
            created.Start(request);
        return activation;
    }
}
