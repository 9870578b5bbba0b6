using Orleans.Runtime;

namespace Orleans;

/// <summary>A contract of grains that have reminders. A grain class implements it beside its own contract.</summary>
public interface IRemindable : IGrain
{
    /// <summary>A reminder is due. The grain is activated for it; ticks missed while no process ran are not made up for.</summary>
    Task ReceiveReminder(string reminderName, TickStatus status);
}
