using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Hosting;

namespace VoiceGrains.GrainRuntime.Reminders;

/// <summary>
/// Delivers due reminders as grain calls. A tick that fails is logged and the next one comes in its time; a process that dies while it
/// delivers leaves the tick to another after the lease, so a grain may see a tick twice, never not at all.
/// </summary>
internal sealed partial class ReminderService(
    IReminderStore store, GrainDispatcher dispatcher, IOptions<GrainRuntimeOptions> options, TimeProvider clock, ILogger<ReminderService> logger)
    : IRuntimePart, IDisposable
{
    private const int MostAtOnce = 100;
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _deliveries = new();
    private Task _loop = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _loop = Task.Run(() => PollAsync(_stopping.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        try
        {
            await Task.WhenAll(_deliveries.Keys).WaitAsync(options.Value.ShutdownTimeout / 2, clock, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            LogUndelivered(_deliveries.Count);      // their leases end, then another process or the next start delivers them
        }
    }

    public void Dispose() => _stopping.Dispose();

    private async Task PollAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Value.ReminderPollPeriod, clock);
        try
        {
            do
            {
                await DeliverDueAsync(cancellationToken).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task DeliverDueAsync(CancellationToken cancellationToken)
    {
        try
        {
            var now = store.Now;
            var room = MostAtOnce - _deliveries.Count;
            if (room <= 0)
                return;
            foreach (var reminder in await store.ClaimDueAsync(now, now + options.Value.ReminderLease, room, cancellationToken).ConfigureAwait(false))
            {
                var delivery = DeliverAsync(reminder);
                _deliveries.TryAdd(delivery, true);
                _ = delivery.ContinueWith(done => _deliveries.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogPollFailed(exception);       // the database may be back at the next poll
        }
    }

    private async Task DeliverAsync(Reminder reminder)
    {
        var began = clock.GetTimestamp();
        while (!await TryDeliverAsync(reminder, mayRetry: clock.GetElapsedTime(began) < options.Value.ReminderLease / 2).ConfigureAwait(false))
            await Task.Delay(RetryPause, clock).ConfigureAwait(false);
        try
        {
            await store.RescheduleAsync(reminder, reminder.TickAfter(store.Now), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            LogPollFailed(exception);
        }
    }

    // False when the grain's silo was lost under it, so that another must have the tick.
    private async Task<bool> TryDeliverAsync(Reminder reminder, bool mayRetry)
    {
        try
        {
            var grain = (IRemindable)(object)dispatcher.CreateReference(typeof(IRemindable), reminder.Grain);
            await grain.ReceiveReminder(
                reminder.ReminderName, new(reminder.FirstTick.UtcDateTime, reminder.Period, store.Now.UtcDateTime)).ConfigureAwait(false);
        }
        catch (SiloUnavailableException) when (mayRetry && !_stopping.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception exception)
        {
            LogTickFailed(reminder.ReminderName, reminder.Grain.ToString(), exception);
        }
        return true;
    }

    [LoggerMessage(1530, LogLevel.Error, "Reminder {Name} of grain {Grain} failed; its next tick comes in its time")]
    private partial void LogTickFailed(string name, string grain, Exception exception);

    [LoggerMessage(1531, LogLevel.Error, "Reminders could not be read or written; trying again")]
    private partial void LogPollFailed(Exception exception);

    [LoggerMessage(1532, LogLevel.Warning, "{Count} reminders were still being delivered when the host stopped")]
    private partial void LogUndelivered(int count);
}
