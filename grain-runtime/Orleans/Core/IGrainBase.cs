using Orleans.Runtime;

namespace Orleans;

/// <summary>What a grain class must offer the runtime. <see cref="Grain"/> implements it.</summary>
public interface IGrainBase
{
    /// <summary>The activation this object belongs to.</summary>
    IGrainContext GrainContext { get; }

    /// <summary>Runs before the first request. An exception fails the activation and goes to every waiting caller.</summary>
    Task OnActivateAsync(CancellationToken token) => Task.CompletedTask;

    /// <summary>Runs after the last request. Not guaranteed: a killed process runs none.</summary>
    Task OnDeactivateAsync(DeactivationReason reason, CancellationToken token) => Task.CompletedTask;
}
