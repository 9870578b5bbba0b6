using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>A state that the activation reads before the grain activates.</summary>
internal interface IActivationState
{
    Task ReadAsync(CancellationToken cancellationToken);
}

internal sealed class PersistentState<TState>(Activation activation, StateAddress address, IGrainStateStore store) : IPersistentState<TState>, IActivationState
{
    private int? _etag;

    public TState State { get; set; } = Activator.CreateInstance<TState>();

    public string? Etag => _etag?.ToString(CultureInfo.InvariantCulture);

    public bool RecordExists => _etag is not null;

    public static IActivationState Create(Activation activation, string stateName) => new PersistentState<TState>(
        activation,
        new(activation.GrainId.Type, activation.GrainId.Key, stateName),
        activation.ActivationServices.GetRequiredService<IGrainStateStore>());

    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        var stored = await store.ReadAsync<TState>(address, cancellationToken);
        (State, _etag) = stored is { } found ? (found.State, found.Etag) : (Activator.CreateInstance<TState>(), (int?)null);
    }

    public Task ReadStateAsync() => ReadAsync(CancellationToken.None);

    public Task ReadStateAsync(CancellationToken cancellationToken) => ReadAsync(cancellationToken);

    public Task WriteStateAsync() => WriteStateAsync(CancellationToken.None);

    public async Task WriteStateAsync(CancellationToken cancellationToken)
    {
        try
        {
            _etag = await store.WriteAsync(address, State, _etag, activation.Ownership, cancellationToken);
        }
        catch (InconsistentStateException conflict)
        {
            conflict.MetBy = activation;
            throw;
        }
    }

    public Task ClearStateAsync() => ClearStateAsync(CancellationToken.None);

    public async Task ClearStateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.ClearAsync<TState>(address, _etag, activation.Ownership, cancellationToken);
        }
        catch (InconsistentStateException conflict)
        {
            conflict.MetBy = activation;
            throw;
        }
        (State, _etag) = (Activator.CreateInstance<TState>(), null);
    }
}
