using Microsoft.Extensions.DependencyInjection;
using Orleans;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>The object of an activation, with the services and the states made for it.</summary>
internal sealed class GrainObject(GrainClass grainClass, AsyncServiceScope scope) : IAsyncDisposable
{
    [ThreadStatic]
    private static Activation? _underConstruction;      // a constructor runs on one thread from start to end

    private readonly List<IActivationState> _states = [];

    /// <summary>The activation whose grain the current thread is constructing.</summary>
    public static Activation? UnderConstruction => _underConstruction;

    public Grain? Instance { get; private set; }

    public IServiceProvider Services => scope.ServiceProvider;

    public IActivationState AddState(IActivationState state)
    {
        _states.Add(state);
        return state;
    }

    /// <summary>Constructs the grain, reads its states and lets it activate.</summary>
    /// <exception cref="TimeoutException">That took too long.</exception>
    public async Task ActivateAsync(Activation activation, TimeSpan most, TimeProvider clock)
    {
        using var timeout = new CancellationTokenSource(most, clock);
        try
        {
            Instance = Construct(activation);
            foreach (var state in _states)
                await state.ReadAsync(timeout.Token);
            await Instance.OnActivateAsync(timeout.Token).WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException exception) when (timeout.IsCancellationRequested)
        {
            throw new TimeoutException($"Grain {activation.GrainId} did not activate within {most}.", exception);
        }
    }

    public async Task DeactivateAsync(DeactivationReason reason, TimeSpan most, TimeProvider clock)
    {
        using var timeout = new CancellationTokenSource(most, clock);
        await Instance!.OnDeactivateAsync(reason, timeout.Token).WaitAsync(timeout.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (Instance is IAsyncDisposable asyncDisposable)
            await asyncDisposable.DisposeAsync();
        else
            (Instance as IDisposable)?.Dispose();
        await scope.DisposeAsync();
    }

    private Grain Construct(Activation activation)
    {
        _underConstruction = activation;
        try
        {
            return grainClass.Construct(activation);
        }
        finally
        {
            _underConstruction = null;
        }
    }
}
