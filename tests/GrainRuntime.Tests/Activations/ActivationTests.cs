using Orleans;
using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Tests.Activations;

public sealed class ActivationTests
{
    [Fact]
    public async Task FirstCall_ActivatesOnceAndLaterCallsFindTheSameActivation()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ILifeGrain>("a");
        Assert.Empty(host.Probe.Log);

        var ids = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => grain.InstanceAsync()));

        Assert.Single(ids.Distinct());
        Assert.Equal(["activate a"], host.Probe.Log);
    }

    [Fact]
    public async Task FailedActivation_GoesToEveryCallerAndTheNextCallTriesAgain()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ILifeGrain>("fails-once");

        var calls = Enumerable.Range(0, 3).Select(_ => grain.InstanceAsync()).ToList();
        await host.Probe.ExpectAsync("activate fails-once");
        host.Probe.Open("fail");

        foreach (var call in calls)
            Assert.Equal("not today", (await Assert.ThrowsAsync<ApplicationException>(() => call)).Message);
        await grain.InstanceAsync();
        Assert.Equal(["activate fails-once", "disposed fails-once", "activate fails-once"], host.Probe.Log);
    }

    [Fact]
    public async Task ConstructorException_ReachesTheCallerWithItsType()
    {
        await using var host = await RuntimeHost.StartAsync();

        var thrown = await Assert.ThrowsAsync<ApplicationException>(() => host.Grains.GetGrain<IUnbuildableGrain>("a").DoAsync());

        Assert.Equal("cannot be built", thrown.Message);
    }

    [Fact]
    public async Task SlowActivation_TimesOut()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock, options: options =>
        {
            options.ActivationTimeout = TimeSpan.FromSeconds(3);
            options.ResponseTimeout = TimeSpan.FromSeconds(30);
        });
        var call = host.Grains.GetGrain<ILifeGrain>("never").InstanceAsync();
        await host.Probe.ExpectAsync("activate never");

        clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Contains("did not activate", (await Assert.ThrowsAsync<TimeoutException>(() => call)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeactivateOnIdle_EndsAfterTheRequestAndTheNextCallActivatesAnew()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ILifeGrain>("a");
        var first = await grain.InstanceAsync();

        var leave = grain.LeaveAsync("go");
        var behind = grain.InstanceAsync();     // waits with the old activation, is served by the new one
        host.Probe.Open("go");
        await leave;

        Assert.NotEqual(first, await behind);
        Assert.Equal(["activate a", "deactivate a ApplicationRequested", "disposed a", "activate a"], host.Probe.Log);
    }

    [Fact]
    public async Task IdleActivation_IsCollectedAfterItsAge()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var grain = host.Grains.GetGrain<ILifeGrain>("a");
        await grain.InstanceAsync();

        clock.Advance(TimeSpan.FromMinutes(14));
        var first = await grain.InstanceAsync();
        clock.Advance(TimeSpan.FromMinutes(14));
        Assert.Equal(first, await grain.InstanceAsync());
        clock.Advance(TimeSpan.FromMinutes(15.1));

        await RuntimeHost.EventuallyAsync(() => host.Probe.Log.Contains("disposed a"), "collection");
        Assert.Equal(["activate a", "deactivate a ActivationIdle", "disposed a"], host.Probe.Log);
        Assert.NotEqual(first, await grain.InstanceAsync());
    }

    [Fact]
    public async Task DelayDeactivation_KeepsAnIdleActivation()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var grain = host.Grains.GetGrain<ILifeGrain>("a");
        await grain.KeepAsync(TimeSpan.FromHours(1));

        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(["activate a"], host.Probe.Log);
        clock.Advance(TimeSpan.FromMinutes(2));

        await RuntimeHost.EventuallyAsync(() => host.Probe.Log.Contains("disposed a"), "collection");
    }

    [Fact]
    public async Task GrainThatNeverStays_RefusesTheRequestInsteadOfActivatingForEver()
    {
        await using var host = await RuntimeHost.StartAsync();

        await Assert.ThrowsAsync<OrleansMessageRejectionException>(() => host.Grains.GetGrain<ILifeGrain>("flees").InstanceAsync());

        Assert.Equal(3, host.Probe.Log.Count(what => what == "activate flees"));
    }

    [Fact]
    public async Task StoppingHost_DeactivatesAllAndRefusesNewActivations()
    {
        await using var host = await RuntimeHost.StartAsync();
        await host.Grains.GetGrain<ILifeGrain>("a").InstanceAsync();
        await host.Grains.GetGrain<ILifeGrain>("b").InstanceAsync();

        await host.StopAsync();

        Assert.Contains("deactivate a ShuttingDown", host.Probe.Log);
        Assert.Contains("deactivate b ShuttingDown", host.Probe.Log);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => host.Grains.GetGrain<ILifeGrain>("c").InstanceAsync());
    }

    [Fact]
    public async Task StoppingHost_WaitsNoLongerThanItsTimeout()
    {
        await using var host = await RuntimeHost.StartAsync(options: options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        var grain = host.Grains.GetGrain<ILifeGrain>("a");
        await grain.InstanceAsync();
        var stuck = grain.LeaveAsync("stuck");

        await host.StopAsync();

        Assert.False(stuck.IsCompleted);
    }
}

internal interface ILifeGrain : IGrainWithStringKey
{
    Task<Guid> InstanceAsync();

    Task LeaveAsync(string gate);

    Task KeepAsync(TimeSpan time);
}

internal sealed class LifeGrain(Probe probe) : Grain, ILifeGrain, IDisposable
{
    private readonly Guid _instance = Guid.NewGuid();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = this.GetPrimaryKeyString();
        probe.Say($"activate {key}");
        if (key == "flees")
            DeactivateOnIdle();
        if (key == "never")
            await probe.GateAsync("never").WaitAsync(cancellationToken);
        if (key == "fails-once" && probe.Log.Count == 1)
        {
            await probe.GateAsync("fail");
            throw new ApplicationException("not today");
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Say($"deactivate {this.GetPrimaryKeyString()} {reason.ReasonCode}");
        return Task.CompletedTask;
    }

    public Task<Guid> InstanceAsync() => Task.FromResult(_instance);

    public async Task LeaveAsync(string gate)
    {
        DeactivateOnIdle();
        await probe.GateAsync(gate);
    }

    public Task KeepAsync(TimeSpan time)
    {
        DelayDeactivation(time);
        return Task.CompletedTask;
    }

    public void Dispose() => probe.Say($"disposed {this.GetPrimaryKeyString()}");
}

internal interface IUnbuildableGrain : IGrainWithStringKey
{
    Task DoAsync();
}

internal sealed class UnbuildableGrain : Grain, IUnbuildableGrain
{
    public UnbuildableGrain() => throw new ApplicationException("cannot be built");

    public Task DoAsync() => Task.CompletedTask;
}
