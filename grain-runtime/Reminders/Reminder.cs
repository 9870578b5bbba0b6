using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Reminders;

/// <summary>A stored reminder. The version tells a schedule from the one that replaced it.</summary>
internal sealed record Reminder(GrainId Grain, string ReminderName, DateTimeOffset FirstTick, TimeSpan Period, DateTimeOffset NextTick, int Version) : IGrainReminder
{
    /// <summary>The first time of the schedule that is after now: missed ticks are left out.</summary>
    public DateTimeOffset TickAfter(DateTimeOffset now)
    {
        var passed = now < FirstTick ? -1 : (now - FirstTick).Ticks / Period.Ticks;
        return FirstTick + (passed + 1) * Period;
    }
}

/// <summary>Where reminders are kept.</summary>
internal interface IReminderStore
{
    /// <summary>The time that all who share the store go by.</summary>
    DateTimeOffset Now { get; }

    /// <summary>Stores a reminder or replaces its schedule.</summary>
    Task SaveAsync(GrainId grain, string name, DateTimeOffset firstTick, TimeSpan period, CancellationToken cancellationToken);

    Task DeleteAsync(GrainId grain, string name, CancellationToken cancellationToken);

    Task<List<Reminder>> ListAsync(GrainId grain, CancellationToken cancellationToken);

    /// <summary>Takes due reminders for this process until the lease ends: no other process gets them before.</summary>
    Task<List<Reminder>> ClaimDueAsync(DateTimeOffset now, DateTimeOffset leaseUntil, int most, CancellationToken cancellationToken);

    /// <summary>Sets the next tick and gives up the lease, unless the reminder has been replaced or deleted meanwhile.</summary>
    Task RescheduleAsync(Reminder reminder, DateTimeOffset nextTick, CancellationToken cancellationToken);
}
