namespace VoiceGrains.Media;

/// <summary>What an <see cref="AudioReceiver"/> has seen so far. Each figure is exact, but they may be of slightly different moments.</summary>
public readonly record struct AudioReceiverStatistics
{
    /// <summary>Packets received, those that were of no use included.</summary>
    public long Packets { get; init; }

    /// <summary>Packets that had not come when their sound was due. One that came after all counts as late too.</summary>
    public long Lost { get; init; }

    /// <summary>Packets that came after their sound was due.</summary>
    public long Late { get; init; }

    /// <summary>Packets that had come before.</summary>
    public long Duplicates { get; init; }

    /// <summary>Packets dropped unplayed: too much waited, the slots were full, or they were longer than any datagram.</summary>
    public long Discarded { get; init; }

    /// <summary>Packets that are no Opus; their sound was concealed.</summary>
    public long Malformed { get; init; }

    /// <summary>Lost packets whose sound the next one brought.</summary>
    public long FecRecovered { get; init; }

    /// <summary>Samples made up for sound that was missing, before silence took over.</summary>
    public long ConcealedSamples { get; init; }

    /// <summary>Samples of silence played because nothing came.</summary>
    public long SilentSamples { get; init; }

    /// <summary>Samples taken out to play faster.</summary>
    public long RemovedSamples { get; init; }

    /// <summary>Samples put in to play slower.</summary>
    public long InsertedSamples { get; init; }

    /// <summary>How long sound is meant to wait from the arrival of the fastest packets to being taken, ms.</summary>
    public double TargetDelayMs { get; init; }

    /// <summary>How long it does wait, ms.</summary>
    public double DelayMs { get; init; }

    /// <summary>Interarrival jitter (RFC 3550 §6.4.1), ms.</summary>
    public double JitterMs { get; init; }
}
