using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Orleans.Storage;

namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>Grain state in this process, for tests: serialized as in PostgreSQL, but without projections.</summary>
internal sealed class InMemoryStateStore(IOptions<GrainRuntimeOptions> options) : IGrainStateStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<StateAddress, (byte[] Json, int Etag)> _states = [];

    public Task<StoredState<TState>?> ReadAsync<TState>(StateAddress address, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult<StoredState<TState>?>(_states.TryGetValue(address, out var stored)
                ? new(JsonSerializer.Deserialize<TState>(stored.Json, options.Value.StateSerializer)!, stored.Etag)
                : null);
        }
    }

    public Task<int> WriteAsync<TState>(StateAddress address, TState state, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(state, options.Value.StateSerializer);
        lock (_gate)
        {
            ThrowUnlessStored(address, etag);
            var next = (etag ?? 0) + 1;
            _states[address] = (json, next);
            return Task.FromResult(next);
        }
    }

    public Task ClearAsync<TState>(StateAddress address, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ThrowUnlessStored(address, etag);
            _states.Remove(address);
            return Task.CompletedTask;
        }
    }

    private void ThrowUnlessStored(StateAddress address, int? etag)
    {
        int? stored = _states.TryGetValue(address, out var found) ? found.Etag : null;
        if (stored != etag)
        {
            throw new InconsistentStateException(
                $"State {address} was changed by another writer.", stored?.ToString(CultureInfo.InvariantCulture), etag?.ToString(CultureInfo.InvariantCulture));
        }
    }
}
