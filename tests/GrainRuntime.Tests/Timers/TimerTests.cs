using Orleans;
using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Tests.Timers;

public sealed class TimerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Timer_TicksAfterDueTimeThenEveryPeriod()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        await host.Grains.GetGrain<ITickGrain>("a").StartAsync("t", new(2 * Second, 3 * Second));

        clock.Advance(1.9 * Second);
        Assert.Empty(host.Probe.Log);
        clock.Advance(0.1 * Second);
        await host.Probe.ExpectAsync("tick t");
        // The period runs from the end of a tick, which is armed on another thread.
        await RuntimeHost.AdvanceUntilAsync(clock, 3 * Second, () => host.Probe.Log.Count >= 2, "the second tick");
    }

    [Fact]
    public async Task Tick_WaitsForTheRunningRequestUnlessItInterleaves()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var grain = host.Grains.GetGrain<ITickGrain>("a");
        await grain.StartAsync("polite", new(Second, Timeout.InfiniteTimeSpan));
        await grain.StartAsync("eager", new(Second, Timeout.InfiniteTimeSpan) { Interleave = true });
        var work = grain.WorkAsync();
        await host.Probe.ExpectAsync("working");

        clock.Advance(Second);
        await host.Probe.ExpectAsync("tick eager");
        host.Probe.Open("work");
        await work;
        await host.Probe.ExpectAsync("worked");
        await host.Probe.ExpectAsync("tick polite");
    }

    [Fact]
    public async Task SlowTick_IsNotOvertakenByTheNext()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        await host.Grains.GetGrain<ITickGrain>("a").StartAsync("slow", new(Second, Second) { Interleave = true });
        clock.Advance(Second);
        await host.Probe.ExpectAsync("tick slow");

        clock.Advance(10 * Second);
        Assert.Equal(["tick slow"], host.Probe.Log);
        host.Probe.Open("slow");

        await RuntimeHost.AdvanceUntilAsync(clock, Second, () => host.Probe.Log.Count > 1, "the next tick");
    }

    [Fact]
    public async Task FailingTick_GoesOnTicking()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        await host.Grains.GetGrain<ITickGrain>("a").StartAsync("fails", new(Second, Second));

        await RuntimeHost.AdvanceUntilAsync(clock, Second, () => host.Probe.Log.Count >= 3, "three ticks");
    }

    [Fact]
    public async Task DisposedTimer_StopsAndItsTokenIsCancelled()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var grain = host.Grains.GetGrain<ITickGrain>("a");
        await grain.StartAsync("token", new(Second, Second) { Interleave = true });
        clock.Advance(Second);
        await host.Probe.ExpectAsync("tick token");

        await grain.StopAsync();

        await host.Probe.ExpectAsync("cancelled token");
        clock.Advance(10 * Second);
        Assert.Equal(["tick token", "cancelled token"], host.Probe.Log);
    }

    [Fact]
    public async Task Deactivation_EndsTimersAndDoesNotWaitForACallbackThatHeedsItsToken()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var grain = host.Grains.GetGrain<ITickGrain>("a");
        await grain.StartAsync("token", new(Second, Second) { Interleave = true });
        clock.Advance(Second);
        await host.Probe.ExpectAsync("tick token");

        await grain.LeaveAsync();

        await host.Probe.ExpectAsync("cancelled token");
        await host.Probe.ExpectAsync("deactivated");
        clock.Advance(10 * Second);
        Assert.Equal(3, host.Probe.Log.Count);
    }

    [Fact]
    public async Task Change_InTheCallbackSetsTheNextTick()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock, options: options => options.CollectionAge = TimeSpan.FromDays(1));
        await host.Grains.GetGrain<ITickGrain>("a").StartAsync("changes", new(Second, Second));
        clock.Advance(Second);
        await host.Probe.ExpectAsync("tick changes");

        // The callback asked for an hour: a minute brings nothing.
        var before = clock.GetUtcNow();
        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromMinutes(1), () => host.Probe.Log.Count == 2, "the tick of the new schedule");
        Assert.True(clock.GetUtcNow() - before >= TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task TicksKeepTheActivationOnlyIfToldTo()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock, options: options => options.CollectionAge = TimeSpan.FromMinutes(10));
        await host.Grains.GetGrain<ITickGrain>("keep").StartAsync("keep", new(TimeSpan.FromMinutes(9), Timeout.InfiniteTimeSpan) { KeepAlive = true });
        await host.Grains.GetGrain<ITickGrain>("lose").StartAsync("lose", new(TimeSpan.FromMinutes(9), Timeout.InfiniteTimeSpan));

        clock.Advance(TimeSpan.FromMinutes(9));
        await RuntimeHost.EventuallyAsync(() => host.Probe.Log.Count == 2, "both ticks");
        clock.Advance(TimeSpan.FromMinutes(2));
        await RuntimeHost.EventuallyAsync(() => host.Probe.Log.Contains("deactivated"), "the one without use ends");
        Assert.Single(host.Probe.Log, "deactivated");
        clock.Advance(TimeSpan.FromMinutes(8.5));
        await RuntimeHost.EventuallyAsync(() => host.Probe.Log.Count(what => what == "deactivated") == 2, "the other ends later");
    }

    [Theory]
    [InlineData(-5)]
    [InlineData(double.MaxValue)]
    public async Task UnusableTimes_AreRefused(double milliseconds)
    {
        await using var host = await RuntimeHost.StartAsync();
        var time = milliseconds == double.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromMilliseconds(milliseconds);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => host.Grains.GetGrain<ITickGrain>("a").StartAsync("t", new(time, Second)));
    }
}

internal interface ITickGrain : IGrainWithStringKey
{
    Task StartAsync(string name, GrainTimerCreationOptions options);

    Task StopAsync();

    Task WorkAsync();

    Task LeaveAsync();
}

internal sealed class TickGrain(Probe probe) : Grain, ITickGrain
{
    private IGrainTimer? _timer;

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Say("deactivated");
        return Task.CompletedTask;
    }

    public Task StartAsync(string name, GrainTimerCreationOptions options)
    {
        _timer = this.RegisterGrainTimer(TickAsync, name, options);
        return Task.CompletedTask;
    }

    public Task StopAsync()
    {
        _timer!.Dispose();
        return Task.CompletedTask;
    }

    public async Task WorkAsync()
    {
        probe.Say("working");
        await probe.GateAsync("work");
        probe.Say("worked");
    }

    public Task LeaveAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private async Task TickAsync(string name, CancellationToken cancellationToken)
    {
        probe.Say($"tick {name}");
        switch (name)
        {
            case "slow":
                await probe.GateAsync("slow");
                break;
            case "fails":
                throw new ApplicationException("tick failed");
            case "changes":
                _timer!.Change(TimeSpan.FromHours(1), TimeSpan.FromHours(1));
                break;
            case "token":
                try
                {
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                }
                finally
                {
                    probe.Say("cancelled token");
                }
                break;
        }
    }
}
