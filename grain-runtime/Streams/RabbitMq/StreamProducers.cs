using System.Collections.Concurrent;

namespace VoiceGrains.GrainRuntime.Streams.RabbitMq;

/// <summary>The streams that this process produces on. One that is silent for long is given up; the next event begins it anew.</summary>
internal sealed class StreamProducers(string process, TimeProvider clock)
{
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<StreamAddress, StreamProducer> _producers = new();
    private readonly CancellationTokenSource _stopping = new();
    private long _lastIncarnation;

    public IEnumerable<StreamProducer> All => _producers.Values;

    public StreamProducer? Find(StreamAddress address) => _producers.GetValueOrDefault(address);

    /// <param name="isNew">For the one caller that made it.</param>
    public StreamProducer Of(StreamAddress address, out bool isNew)
    {
        isNew = false;
        if (_producers.TryGetValue(address, out var known))
            return known;
        var made = new StreamProducer(address, new(process, Interlocked.Increment(ref _lastIncarnation)), clock.GetTimestamp());
        var producer = _producers.GetOrAdd(address, made);
        isNew = producer == made;
        return producer;
    }

    public void Remove(StreamProducer producer) => _producers.TryRemove(KeyValuePair.Create(producer.Address, producer));

    /// <summary>Looks for silent ones until it is stopped.</summary>
    public async Task SweepAsync(Action<StreamProducer> retire)
    {
        using var timer = new PeriodicTimer(SweepPeriod, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                foreach (var producer in All.Where(producer => clock.GetElapsedTime(producer.LastUsed) > SilenceLimit))
                    retire(producer);
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    public void StopSweeping() => _stopping.Cancel();
}
