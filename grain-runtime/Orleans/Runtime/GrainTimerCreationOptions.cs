using System.Diagnostics.CodeAnalysis;

namespace Orleans.Runtime;

/// <summary>How a grain timer ticks.</summary>
public readonly struct GrainTimerCreationOptions()
{
    /// <summary>Options with the two times that every timer needs.</summary>
    [SetsRequiredMembers]
    public GrainTimerCreationOptions(TimeSpan dueTime, TimeSpan period) : this()
    {
        DueTime = dueTime;
        Period = period;
    }

    /// <summary>Delay before the first tick. <see cref="TimeSpan.Zero"/> ticks at once, <see cref="Timeout.InfiniteTimeSpan"/> never.</summary>
    public required TimeSpan DueTime { get; init; }

    /// <summary>Pause between the end of one tick and the start of the next; <see cref="Timeout.InfiniteTimeSpan"/> for a single tick.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Lets ticks run between the awaits of requests and other ticks. Default <see langword="false"/>.</summary>
    public bool Interleave { get; init; }

    /// <summary>Counts a tick as use, so that the activation does not become idle. Default <see langword="false"/>.</summary>
    public bool KeepAlive { get; init; }
}
