namespace VoiceGrains.GrainRuntime.Streams.RabbitMq;

/// <summary>What this process wants to hear: routing keys with a count of who wants them, and whether the broker knows.</summary>
internal sealed class StreamBindings(StreamBroker broker)
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Binding> _bindings = [];

    /// <summary>Keys that somebody wants, bound or not yet.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _bindings.Count;
        }
    }

    /// <summary>Wants the key, until <see cref="Release"/>.</summary>
    /// <returns>Done when it is bound.</returns>
    public Task AcquireAsync(string key, CancellationToken cancellationToken)
    {
        Want(key);
        return WaitAsync(key, cancellationToken);
    }

    public void Want(string key)
    {
        lock (_gate)
        {
            if (!_bindings.TryGetValue(key, out var binding))
                _bindings[key] = binding = new(key);
            binding.Wanted++;
        }
    }

    /// <summary>Done when the key is bound, or nobody wants it any more.</summary>
    public async Task WaitAsync(string key, CancellationToken cancellationToken)
    {
        while (!await RenewAsync(key).WaitAsync(cancellationToken).ConfigureAwait(false))
            await broker.WaitUntilConnectedAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Release(string key)
    {
        Binding? binding;
        lock (_gate)
        {
            if (!_bindings.TryGetValue(key, out binding))
                return;
            binding.Wanted--;
        }
        _ = SettleAsync(binding);
    }

    /// <summary>Binds the key if somebody wants it and the connection does not have it yet. False when there is no connection.</summary>
    public Task<bool> RenewAsync(string key)
    {
        Binding? binding;
        lock (_gate)
            _bindings.TryGetValue(key, out binding);
        return binding is null ? Task.FromResult(true) : SettleAsync(binding);
    }

    // Makes the broker know what is wanted by now. One at a time for each key: a binding and its undoing must not overtake each other.
    private async Task<bool> SettleAsync(Binding binding)
    {
        await binding.Turn.WaitAsync().ConfigureAwait(false);
        var session = broker.Session;
        try
        {
            bool wanted;
            lock (_gate)
                wanted = binding.Wanted > 0;
            if (session is null)
                return false;
            if (wanted != (binding.BoundOn == session))
            {
                using var timeout = new CancellationTokenSource(AnswerTimeout);
                await (wanted ? session.BindAsync(binding.Key, timeout.Token) : session.UnbindAsync(binding.Key, timeout.Token)).ConfigureAwait(false);
                binding.BoundOn = wanted ? session : null;
            }
            return true;
        }
        catch (Exception)
        {
            session!.Close();       // on the next one
            return false;
        }
        finally
        {
            lock (_gate)
            {
                if (binding.Wanted == 0)
                    _bindings.Remove(binding.Key);
            }
            binding.Turn.Release();
        }
    }

    private sealed class Binding(string key)
    {
        public string Key => key;

        public SemaphoreSlim Turn { get; } = new(1);

        public int Wanted { get; set; }

        public StreamSession? BoundOn { get; set; }
    }
}
