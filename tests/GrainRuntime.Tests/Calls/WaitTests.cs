using Orleans;
using Orleans.Concurrency;

namespace VoiceGrains.GrainRuntime.Tests.Calls;

/// <summary>Timeouts, cancellation, and calls that wait for each other.</summary>
public sealed class WaitTests
{
    [Fact]
    public async Task SlowRequest_TimesOutForTheCallerAndIsCancelled()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var grain = host.Grains.GetGrain<IWaitGrain>("a");
        var call = grain.HoldAsync("a", CancellationToken.None);
        await host.Probe.ExpectAsync("holding a");

        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(call.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));

        await Assert.ThrowsAsync<TimeoutException>(() => call);
        await host.Probe.ExpectAsync("cancelled a");
        Assert.Equal("free", await grain.EchoAsync("free"));
    }

    [Fact]
    public async Task RequestThatTimedOutWhileItWaited_NeverRuns()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var grain = host.Grains.GetGrain<ITurnGrain>("a");
        var running = grain.WorkAsync("1");
        await host.Probe.ExpectAsync("begin 1");
        var waiting = grain.WorkAsync("2");

        clock.Advance(TimeSpan.FromSeconds(31));
        await Assert.ThrowsAsync<TimeoutException>(() => running);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
        host.Probe.OpenAll();
        host.Probe.Open("3");
        await grain.WorkAsync("3");

        Assert.Equal(["begin 1", "end 1", "begin 3", "end 3"], host.Probe.Log);
    }

    [Fact]
    public async Task CancelledCall_EndsForTheCallerAtOnceAndCancelsTheCallee()
    {
        await using var host = await RuntimeHost.StartAsync();
        using var cancellation = new CancellationTokenSource();
        var grain = host.Grains.GetGrain<IWaitGrain>("a");
        var call = grain.HoldAsync("a", cancellation.Token);
        await host.Probe.ExpectAsync("holding a");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await host.Probe.ExpectAsync("cancelled a");
    }

    [Fact]
    public async Task CallChainThatComesBack_IsADeadlockAndNotAHang()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock, options: LongTimeouts);

        var call = host.Grains.GetGrain<IWaitGrain>("a").CallThroughAsync(["b", "c", "a"]);
        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(250), () => call.IsCompleted, "the deadlock is found");

        var deadlock = await Assert.ThrowsAsync<CallChainDeadlockException>(() => call);
        Assert.Contains("wait/a.IWaitGrain.CallThroughAsync", deadlock.Message, StringComparison.Ordinal);
        Assert.Contains("wait/b.IWaitGrain.CallThroughAsync", deadlock.Message, StringComparison.Ordinal);
        Assert.Equal("free", await host.Grains.GetGrain<IWaitGrain>("a").EchoAsync("free"));
    }

    [Fact]
    public async Task CallToItself_IsADeadlock()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock, options: LongTimeouts);

        var call = host.Grains.GetGrain<IWaitGrain>("a").CallThroughAsync(["a"]);
        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(250), () => call.IsCompleted, "the deadlock is found");

        await Assert.ThrowsAsync<CallChainDeadlockException>(() => call);
    }

    [Fact]
    public async Task CallBackToAGrainThatActivates_IsADeadlock()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock, options: LongTimeouts);

        var call = host.Grains.GetGrain<IWaitGrain>("asks-while-activating").EchoAsync("hello");
        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(250), () => call.IsCompleted, "the deadlock is found");

        // The circle broke at its innermost call: OnActivateAsync saw the error and let it fail the activation.
        var deadlock = await Assert.ThrowsAsync<CallChainDeadlockException>(() => call);
        Assert.Contains("wait/asks-while-activating.IWaitGrain.HoldAsync", deadlock.Message, StringComparison.Ordinal);
        Assert.Equal("free", await host.Grains.GetGrain<IWaitGrain>("b").EchoAsync("free"));
    }

    [Fact]
    public async Task ContextOfTheCaller_DoesNotReachTheGrain()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<IWaitGrain>("a");
        WaitGrain.Ambient.Value = "the caller's";

        Assert.Null(await grain.AmbientAsync());
        Assert.Equal("the caller's", WaitGrain.Ambient.Value);
    }

    [Fact]
    public async Task TwoGrainsThatCallEachOther_AreADeadlockToo()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock, options: LongTimeouts);
        var one = host.Grains.GetGrain<IWaitGrain>("a").HoldThenCallAsync("go", "b");
        await host.Probe.ExpectAsync("holding a");
        var two = host.Grains.GetGrain<IWaitGrain>("b").HoldThenCallAsync("go", "a");
        await host.Probe.ExpectAsync("holding b");
        host.Probe.Open("go");

        await RuntimeHost.AdvanceUntilAsync(clock, TimeSpan.FromMilliseconds(250), () => one.IsCompleted && two.IsCompleted, "the deadlock is found");

        // One of them gave way, so that the other went through.
        Exception?[] outcomes = [await Record.ExceptionAsync(() => one), await Record.ExceptionAsync(() => two)];
        Assert.Single(outcomes, outcome => outcome is CallChainDeadlockException);
        Assert.Single(outcomes, outcome => outcome is null);
    }

    [Fact]
    public async Task ChainThatComesBackByAnInterleavingMethod_IsNoDeadlock()
    {
        await using var host = await RuntimeHost.StartAsync();

        Assert.Equal("a says hello", await host.Grains.GetGrain<IWaitGrain>("a").AskBackAsync("b"));
    }

    [Fact]
    public async Task LongWaitWithoutACircle_IsNoDeadlock()
    {
        var clock = new ManualClock();
        await using var host = await RuntimeHost.StartAsync(clock: clock);
        var first = host.Grains.GetGrain<IWaitGrain>("b").HoldThenCallAsync("go", "c");
        await host.Probe.ExpectAsync("holding b");
        var second = host.Grains.GetGrain<IWaitGrain>("a").CallThroughAsync(["b", "d"]);

        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(first.IsCompleted || second.IsCompleted);
        host.Probe.Open("go");

        await Task.WhenAll(first, second);
    }

    // A loaded machine is slower than the tests' clock: only the deadlock may end these calls.
    private static void LongTimeouts(GrainRuntimeOptions options)
    {
        options.ResponseTimeout = TimeSpan.FromDays(1);
        options.ActivationTimeout = TimeSpan.FromDays(1);
        options.ReminderLease = TimeSpan.FromDays(2);
    }
}

internal interface IWaitGrain : IGrainWithStringKey
{
    Task HoldAsync(string name, CancellationToken cancellationToken);

    Task<string> EchoAsync(string text);

    Task CallThroughAsync(string[] keys);

    Task HoldThenCallAsync(string gate, string other);

    Task<string> AskBackAsync(string other);

    Task<string> AskAsync(IWaitGrain asker);

    Task PassOnAsync(IWaitGrain asker);

    [AlwaysInterleave]
    Task<string> HelloAsync();

    Task<string?> AmbientAsync();
}

internal sealed class WaitGrain(Probe probe) : Grain, IWaitGrain
{
    public static readonly AsyncLocal<string?> Ambient = new();

    public override Task OnActivateAsync(CancellationToken cancellationToken) => this.GetPrimaryKeyString() == "asks-while-activating"
        ? GrainFactory.GetGrain<IWaitGrain>("b").PassOnAsync(this.AsReference<IWaitGrain>())
        : Task.CompletedTask;

    public Task PassOnAsync(IWaitGrain asker) => asker.HoldAsync("never", CancellationToken.None);

    public Task<string?> AmbientAsync() => Task.FromResult(Ambient.Value);

    public async Task HoldAsync(string name, CancellationToken cancellationToken)
    {
        probe.Say($"holding {name}");
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        finally
        {
            probe.Say($"cancelled {name}");
        }
    }

    public Task<string> EchoAsync(string text) => Task.FromResult(text);

    public Task CallThroughAsync(string[] keys) =>
        keys is [var next, .. var rest] ? GrainFactory.GetGrain<IWaitGrain>(next).CallThroughAsync(rest) : Task.CompletedTask;

    public async Task HoldThenCallAsync(string gate, string other)
    {
        probe.Say($"holding {this.GetPrimaryKeyString()}");
        await probe.GateAsync(gate);
        await GrainFactory.GetGrain<IWaitGrain>(other).EchoAsync("hello");
    }

    public Task<string> AskBackAsync(string other) => GrainFactory.GetGrain<IWaitGrain>(other).AskAsync(this.AsReference<IWaitGrain>());

    public Task<string> AskAsync(IWaitGrain asker) => asker.HelloAsync();

    public Task<string> HelloAsync() => Task.FromResult($"{this.GetPrimaryKeyString()} says hello");
}
