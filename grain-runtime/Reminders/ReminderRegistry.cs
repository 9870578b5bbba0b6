using Microsoft.Extensions.Options;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Reminders;

/// <summary>Registers and finds the reminders of grains.</summary>
internal sealed class ReminderRegistry(IReminderStore store, IOptions<GrainRuntimeOptions> options)
{
    public async Task<IGrainReminder> RegisterAsync(GrainId grain, string name, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, TimeSpan.Zero);
        if (period < options.Value.MinimumReminderPeriod)
            throw new ArgumentException($"Cannot register reminder '{name}': its period of {period} is below the minimum of {options.Value.MinimumReminderPeriod}.", nameof(period));
        await store.SaveAsync(grain, name, store.Now + dueTime, period, CancellationToken.None);
        return await FindAsync(grain, name) ?? throw new OrleansException($"Reminder '{name}' of {grain} was deleted while it was registered.");
    }

    public Task UnregisterAsync(GrainId grain, string name) => store.DeleteAsync(grain, name, CancellationToken.None);

    public async Task<IGrainReminder?> FindAsync(GrainId grain, string name) =>
        (await store.ListAsync(grain, CancellationToken.None)).Find(reminder => reminder.ReminderName == name);

    public async Task<List<IGrainReminder>> ListAsync(GrainId grain) => [.. await store.ListAsync(grain, CancellationToken.None)];
}
