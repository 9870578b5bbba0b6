namespace VoiceGrains.Media;

/// <summary>What any thread may read.</summary>
public sealed partial class AudioReceiver
{
    private Counter _packets, _lost, _late, _duplicates, _discarded, _malformed, _recovered, _concealedSamples, _silentSamples, _removed, _inserted;
    private double _publishedTarget;
    private double _publishedDelay;
    private double _publishedJitter;

    private void PublishDelays()
    {
        Volatile.Write(ref _publishedTarget, Milliseconds(_delays.Target));
        Volatile.Write(ref _publishedDelay, _isSilent ? 0 : Milliseconds(_delay));
        Volatile.Write(ref _publishedJitter, Milliseconds(_delays.Jitter));
    }

    private AudioReceiverStatistics ReadStatistics() => new()
    {
        Packets = _packets.Read() + Volatile.Read(ref _discardedByPut),
        Lost = _lost.Read(),
        Late = _late.Read(),
        Duplicates = _duplicates.Read(),
        Discarded = _discarded.Read() + Volatile.Read(ref _discardedByPut),
        Malformed = _malformed.Read(),
        FecRecovered = _recovered.Read(),
        ConcealedSamples = _concealedSamples.Read(),
        SilentSamples = _silentSamples.Read(),
        RemovedSamples = _removed.Read(),
        InsertedSamples = _inserted.Read(),
        TargetDelayMs = Volatile.Read(ref _publishedTarget),
        DelayMs = Volatile.Read(ref _publishedDelay),
        JitterMs = Volatile.Read(ref _publishedJitter),
    };

    private static double Milliseconds(double samples) => samples * 1000 / OpusPacket.ClockRateHz;

    /// <summary>Counted by one thread, read by any.</summary>
    private struct Counter
    {
        private long _value;

        public void Increment() => Add(1);

        public void Add(long value) => Volatile.Write(ref _value, _value + value);

        public readonly long Read() => Volatile.Read(in _value);
    }
}
