using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Reminders;

namespace Orleans;

/// <summary>Reminders: durable ticks that outlive the activation and the process. For seconds use a timer, for minutes and more a reminder.</summary>
public static class GrainReminderExtensions
{
    /// <summary>Stores a reminder, or replaces the one of that name with a new schedule.</summary>
    /// <param name="grain">A grain that implements <see cref="IRemindable"/>.</param>
    /// <param name="reminderName">Unique within the grain.</param>
    /// <param name="dueTime">Delay before the first tick. Not negative or infinite.</param>
    /// <param name="period">Time from tick to tick, not less than the configured minimum (1 min by default).</param>
    /// <exception cref="ArgumentException">A time is outside of its range.</exception>
    /// <exception cref="InvalidOperationException">The grain is not <see cref="IRemindable"/>.</exception>
    public static Task<IGrainReminder> RegisterOrUpdateReminder(this Grain grain, string reminderName, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(grain);
        if (grain is not IRemindable)
            throw new InvalidOperationException($"Grain {grain.Activation.GrainId} must implement {nameof(IRemindable)} to have reminders.");
        return Reminders(grain).RegisterAsync(grain.Activation.GrainId, reminderName, dueTime, period);
    }

    /// <summary>Deletes a reminder. A tick that is already under way still arrives.</summary>
    public static Task UnregisterReminder(this Grain grain, IGrainReminder reminder)
    {
        ArgumentNullException.ThrowIfNull(reminder);
        return Reminders(grain).UnregisterAsync(grain.Activation.GrainId, reminder.ReminderName);
    }

    /// <summary>The grain's reminder of that name; <see langword="null"/> when there is none.</summary>
    public static Task<IGrainReminder?> GetReminder(this Grain grain, string reminderName) => Reminders(grain).FindAsync(grain.Activation.GrainId, reminderName);

    /// <summary>All reminders of the grain.</summary>
    public static Task<List<IGrainReminder>> GetReminders(this Grain grain) => Reminders(grain).ListAsync(grain.Activation.GrainId);

    private static ReminderRegistry Reminders(Grain grain) => grain.Activation.ActivationServices.GetRequiredService<ReminderRegistry>();
}
