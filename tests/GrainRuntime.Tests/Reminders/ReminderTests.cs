using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Reminders;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.GrainRuntime.Tests.Reminders;

public sealed class ReminderTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reminder_TicksAtItsTimesAndActivatesTheGrain(bool stored)
    {
        var clock = new ManualClock();
        await using var database = stored ? await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel) : null;
        await using var host = await StartAsync(clock, database);
        var start = clock.GetUtcNow().UtcDateTime;
        await host.Grains.GetGrain<IAlarmGrain>("a").SetAsync("wake", 2 * Minute, 5 * Minute);

        clock.Advance(1.5 * Minute);
        Assert.Empty(host.Probe.Log);
        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromSeconds(5), () => host.Probe.Log.Count == 1, "the first tick");
        Assert.Equal($"a wake {start + 2 * Minute:O} {5 * Minute}", host.Probe.Log.Last());
        Assert.True(clock.GetUtcNow() >= start + 2 * Minute);
        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromSeconds(5), () => host.Probe.Log.Count == 2, "the second tick");
        Assert.True(clock.GetUtcNow() >= start + 7 * Minute);
    }

    [Fact]
    public async Task Reminder_SurvivesARestartAndLeavesOutMissedTicks()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        var clock = new ManualClock();
        await using (var before = await StartAsync(clock, database))
            await before.Grains.GetGrain<IAlarmGrain>("a").SetAsync("wake", Minute, 10 * Minute);

        clock.Advance(35 * Minute);     // nobody runs: ticks at 1, 11, 21 and 31 are due
        await using var after = await StartAsync(clock, database);

        await RuntimeHost.EventuallyAsync(() => after.Probe.Log.Count == 1, "one tick for those missed");
        var restarted = clock.GetUtcNow();
        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromSeconds(5), () => after.Probe.Log.Count == 2, "the next tick");
        Assert.True(clock.GetUtcNow() - restarted >= 6 * Minute);       // at minute 41, as the first schedule says
    }

    [Fact]
    public async Task TwoProcesses_DeliverATickOnce()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        var clock = new ManualClock();
        await using var one = await StartAsync(clock, database);
        await using var two = await StartAsync(clock, database);
        for (var grain = 0; grain < 20; grain++)
            await one.Grains.GetGrain<IAlarmGrain>($"g{grain}").SetAsync("wake", Minute, TimeSpan.FromDays(1));

        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromSeconds(10), () => one.Probe.Log.Count + two.Probe.Log.Count >= 20, "all ticks");
        clock.Advance(10 * Minute);

        Assert.Equal(20, one.Probe.Log.Concat(two.Probe.Log).Distinct().Count());
        Assert.Equal(20, one.Probe.Log.Count + two.Probe.Log.Count);
    }

    [Fact]
    public async Task TickThatADeadProcessHadClaimed_IsTakenOverAfterItsLease()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        var clock = new ManualClock();
        await using var host = await StartAsync(clock, database);
        await host.Grains.GetGrain<IAlarmGrain>("a").SetAsync("wake", Minute, TimeSpan.FromDays(1));
        var store = host.Services.GetRequiredService<IReminderStore>();
        var due = clock.GetUtcNow() + Minute;
        var claimed = await store.ClaimDueAsync(due, due + 5 * Minute, 10, RuntimeHost.Cancel);     // and then that process dies
        Assert.Single(claimed);
        Assert.Empty(await store.ClaimDueAsync(due, due + 5 * Minute, 10, RuntimeHost.Cancel));

        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromSeconds(20), () => host.Probe.Log.Count == 1, "the tick is taken over");

        Assert.True(clock.GetUtcNow() >= due + 5 * Minute);
    }

    [Fact]
    public async Task RegisteringAgain_ReplacesTheScheduleAndUnregisteringEndsIt()
    {
        var clock = new ManualClock();
        await using var host = await StartAsync(clock);
        var grain = host.Grains.GetGrain<IAlarmGrain>("a");
        await grain.SetAsync("wake", Minute, Minute);
        await grain.SetAsync("wake", TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        await grain.SetAsync("other", TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        Assert.Equal(["other", "wake"], await grain.ListAsync());

        clock.Advance(59 * Minute);
        Assert.Empty(host.Probe.Log);
        await grain.CancelAsync("wake");
        await RuntimeHost.AdvanceUntilAsync(clock, Minute, () => host.Probe.Log.Count == 1, "the one that is left");

        Assert.StartsWith("a other", host.Probe.Log.Single(), StringComparison.Ordinal);
        Assert.Equal(["other"], await grain.ListAsync());
    }

    [Fact]
    public async Task FailedTick_LeavesTheSchedule()
    {
        var clock = new ManualClock();
        await using var host = await StartAsync(clock);
        await host.Grains.GetGrain<IAlarmGrain>("a").SetAsync("fails", Minute, Minute);

        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromSeconds(10), () => host.Probe.Log.Count >= 3, "three ticks");
    }

    [Fact]
    public async Task UnusableSchedules_AreRefused()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<IAlarmGrain>("a");

        await Assert.ThrowsAsync<ArgumentException>(() => grain.SetAsync("wake", Minute, TimeSpan.FromSeconds(59)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => grain.SetAsync("wake", TimeSpan.FromSeconds(-1), Minute));
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Grains.GetGrain<IDeafGrain>("a").SetAsync());
        Assert.Empty(await grain.ListAsync());
    }

    // The tests' clock runs much faster than a loaded machine delivers a tick, so what it must not interrupt takes days.
    private static Task<RuntimeHost> StartAsync(ManualClock clock, TestDatabase? database = null) => RuntimeHost.StartAsync(database, clock: clock, options: options =>
    {
        options.ResponseTimeout = TimeSpan.FromDays(10);
        options.ActivationTimeout = TimeSpan.FromDays(10);
        options.ReminderLease = TimeSpan.FromDays(20);
    });
}

internal interface IAlarmGrain : IGrainWithStringKey
{
    Task SetAsync(string name, TimeSpan dueTime, TimeSpan period);

    Task CancelAsync(string name);

    Task<string[]> ListAsync();
}

internal sealed class AlarmGrain(Probe probe) : Grain, IAlarmGrain, IRemindable
{
    public Task SetAsync(string name, TimeSpan dueTime, TimeSpan period) => this.RegisterOrUpdateReminder(name, dueTime, period);

    public async Task CancelAsync(string name)
    {
        if (await this.GetReminder(name) is { } reminder)
            await this.UnregisterReminder(reminder);
    }

    public async Task<string[]> ListAsync() => [.. (await this.GetReminders()).Select(reminder => reminder.ReminderName)];

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        probe.Say($"{this.GetPrimaryKeyString()} {reminderName} {status.FirstTickTime:O} {status.Period}");
        if (reminderName == "fails")
            throw new ApplicationException("tick failed");
        return Task.CompletedTask;
    }
}

internal interface IDeafGrain : IGrainWithStringKey
{
    Task SetAsync();
}

internal sealed class DeafGrain : Grain, IDeafGrain
{
    public Task SetAsync() => this.RegisterOrUpdateReminder("wake", TimeSpan.Zero, TimeSpan.FromHours(1));
}
