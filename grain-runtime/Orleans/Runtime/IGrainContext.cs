namespace Orleans.Runtime;

/// <summary>What the runtime knows of one activation of a grain.</summary>
public interface IGrainContext
{
    /// <summary>The grain object; <see langword="null"/> until it is constructed.</summary>
    object? GrainInstance { get; }

    /// <summary>Services scoped to the activation: disposed with it.</summary>
    IServiceProvider ActivationServices { get; }

    /// <summary>Completes when the activation is gone.</summary>
    Task Deactivated { get; }

    /// <summary>Starts to deactivate once the running requests have ended. Waiting requests go to the next activation.</summary>
    void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);
}
