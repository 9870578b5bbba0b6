using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Reminders;

/// <summary>Reminders in this process, for tests.</summary>
internal sealed class InMemoryReminderStore(TimeProvider clock) : IReminderStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(GrainId Grain, string Name), (Reminder Reminder, DateTimeOffset? LeaseUntil)> _reminders = [];

    public DateTimeOffset Now => clock.GetUtcNow();

    public Task SaveAsync(GrainId grain, string name, DateTimeOffset firstTick, TimeSpan period, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var version = _reminders.TryGetValue((grain, name), out var stored) ? stored.Reminder.Version + 1 : 1;
            _reminders[(grain, name)] = (new(grain, name, firstTick, period, firstTick, version), null);
        }
        return Task.CompletedTask;
    }

    public Task DeleteAsync(GrainId grain, string name, CancellationToken cancellationToken)
    {
        lock (_gate)
            _reminders.Remove((grain, name));
        return Task.CompletedTask;
    }

    public Task<List<Reminder>> ListAsync(GrainId grain, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(_reminders.Values.Select(stored => stored.Reminder).Where(reminder => reminder.Grain == grain)
                .OrderBy(reminder => reminder.ReminderName, StringComparer.Ordinal).ToList());
        }
    }

    public Task<List<Reminder>> ClaimDueAsync(DateTimeOffset now, DateTimeOffset leaseUntil, int most, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var due = _reminders.Values.Where(stored => stored.Reminder.NextTick <= now && (stored.LeaseUntil is not { } until || until <= now))
                .Select(stored => stored.Reminder).OrderBy(reminder => reminder.NextTick).Take(most).ToList();
            foreach (var reminder in due)
                _reminders[(reminder.Grain, reminder.ReminderName)] = (reminder, leaseUntil);
            return Task.FromResult(due);
        }
    }

    public Task RescheduleAsync(Reminder reminder, DateTimeOffset nextTick, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var key = (reminder.Grain, reminder.ReminderName);
            if (_reminders.TryGetValue(key, out var stored) && stored.Reminder.Version == reminder.Version)
                _reminders[key] = (reminder with { NextTick = nextTick }, null);
        }
        return Task.CompletedTask;
    }
}
