namespace Orleans.Runtime;

/// <summary>A running timer of one activation. Disposing it cancels the token of a running callback and ends the ticks.</summary>
public interface IGrainTimer : IDisposable
{
    /// <summary>Starts anew with another schedule.</summary>
    /// <param name="dueTime">Delay before the next tick; <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    /// <param name="period">Pause between the end of a tick and the next; <see cref="Timeout.InfiniteTimeSpan"/> for a single tick.</param>
    void Change(TimeSpan dueTime, TimeSpan period);
}
