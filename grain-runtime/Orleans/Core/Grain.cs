using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Activations;

namespace Orleans;

/// <summary>Base class of grains: objects with a name, of which one activation handles one request at a time.</summary>
public abstract class Grain : IGrainBase, IAddressable
{
    private readonly Activation? _activation;

    /// <summary>Called by the runtime. A grain constructed by hand, in a unit test, has no context and cannot use the runtime's services.</summary>
    protected Grain() => _activation = GrainObject.UnderConstruction;

    /// <inheritdoc/>
    public IGrainContext GrainContext => Activation;

    /// <summary>Makes references to other grains.</summary>
    protected IGrainFactory GrainFactory => Activation.GrainFactory;

    /// <summary>The services of this activation.</summary>
    protected IServiceProvider ServiceProvider => Activation.ActivationServices;

    internal Activation Activation =>
        _activation ?? throw new InvalidOperationException($"This {GetType().Name} was not created by the grain runtime, so it has no grain context.");

    /// <inheritdoc/>
    public virtual Task OnActivateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public virtual Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Deactivates when the current request has ended.</summary>
    protected void DeactivateOnIdle() => GrainBaseExtensions.DeactivateOnIdle(this);

    /// <summary>Keeps an idle activation for at least this long from now. A negative time withdraws an earlier wish.</summary>
    protected void DelayDeactivation(TimeSpan timeSpan) => Activation.DelayDeactivation(timeSpan);
}
