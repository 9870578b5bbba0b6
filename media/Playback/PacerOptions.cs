namespace VoiceGrains.Media;

/// <summary>How a <see cref="Pacer"/> runs.</summary>
public sealed class PacerOptions
{
    /// <summary>Threads that share the items. Default one per core. 0: none, the owner calls <see cref="Pacer.TickOnce"/>.</summary>
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>Time between ticks. Default 10 ms: half a frame, so that a frame is at most that late.</summary>
    public TimeSpan Period { get; set; } = TimeSpan.FromMilliseconds(10);
}
