using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Tests.Calls;

public sealed class TurnTests
{
    [Fact]
    public async Task Requests_RunOneAtATimeInTheOrderOfArrival()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ITurnGrain>("a");

        var first = grain.WorkAsync("1");
        await host.Probe.ExpectAsync("begin 1");
        var second = grain.WorkAsync("2");
        var third = grain.WorkAsync("3");
        foreach (var name in (string[])["3", "2", "1"])
            host.Probe.Open(name);
        await Task.WhenAll(first, second, third);

        Assert.Equal(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"], host.Probe.Log);
    }

    [Fact]
    public async Task DifferentGrains_RunAtTheSameTime()
    {
        await using var host = await RuntimeHost.StartAsync();
        var slow = host.Grains.GetGrain<ITurnGrain>("slow").WorkAsync("slow");
        host.Probe.Open("fast");

        await host.Grains.GetGrain<ITurnGrain>("other").WorkAsync("fast");

        Assert.False(slow.IsCompleted);
        host.Probe.Open("slow");
        await slow;
    }

    [Fact]
    public async Task AlwaysInterleave_RunsWhileAnotherRequestAwaits()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ITurnGrain>("a");
        var work = grain.WorkAsync("1");
        await host.Probe.ExpectAsync("begin 1");
        var behind = grain.WorkAsync("2");

        Assert.Equal("now", await grain.LookAsync("now"));

        Assert.False(work.IsCompleted || behind.IsCompleted);
        host.Probe.OpenAll();
        host.Probe.Open("2");
        await Task.WhenAll(work, behind);
    }

    [Fact]
    public async Task ReadOnlyRequests_InterleaveWithEachOtherOnly()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ITurnGrain>("a");

        var read1 = grain.ReadAsync("r1");
        await host.Probe.ExpectAsync("begin r1");
        var read2 = grain.ReadAsync("r2");
        await host.Probe.ExpectAsync("begin r2");
        var write = grain.WorkAsync("w");
        var read3 = grain.ReadAsync("r3");      // behind the writer, or readers would starve it
        host.Probe.Open("r1");
        host.Probe.Open("r3");
        host.Probe.Open("w");
        await read1;
        Assert.False(write.IsCompleted);
        host.Probe.Open("r2");
        await Task.WhenAll(read2, write, read3);

        Assert.Equal(["begin w", "end w", "begin r3", "end r3"], host.Probe.Log.TakeLast(4));
    }

    [Fact]
    public async Task InterleavedCode_NeverRunsInParallelWithItself()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ICounterGrain>("a");

        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => grain.IncrementWithYieldsAsync()));

        Assert.Equal(200 * 10, await grain.GetAsync());
        Assert.Equal(1, await grain.MostAtOnceAsync());
    }

    [Fact]
    public async Task Exception_ReachesTheCallerWithItsTypeAndTheGrainGoesOn()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ITurnGrain>("a");

        var thrown = await Assert.ThrowsAsync<ApplicationTroubleException>(() => grain.FailAsync("bad"));
        Assert.Equal("bad", thrown.Message);
        var early = await Assert.ThrowsAsync<ApplicationTroubleException>(() => grain.FailBeforeFirstAwait("early"));
        Assert.Equal("early", early.Message);
        Assert.Equal("still here", await grain.LookAsync("still here"));
    }

    [Fact]
    public async Task TooManyWaitingRequests_AreRefusedAtOnce()
    {
        await using var host = await RuntimeHost.StartAsync(options: options => options.MaxWaitingRequests = 2);
        var grain = host.Grains.GetGrain<ITurnGrain>("a");
        var running = grain.WorkAsync("1");
        await host.Probe.ExpectAsync("begin 1");
        Task[] waiting = [grain.WorkAsync("1"), grain.WorkAsync("1")];

        await Assert.ThrowsAsync<LimitExceededException>(() => grain.WorkAsync("1"));

        host.Probe.Open("1");
        await Task.WhenAll([running, .. waiting]);
        await grain.WorkAsync("1");
    }

    [Fact]
    public async Task OneWay_ReturnsBeforeTheRequestHasRun()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ITurnGrain>("a");

        Assert.True(grain.NotifyAsync("1").IsCompletedSuccessfully);

        await host.Probe.ExpectAsync("begin 1");
        host.Probe.Open("1");
        await host.Probe.ExpectAsync("end 1");
    }

    [Fact]
    public async Task ValueTasks_CarryResultsAndCompletion()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ICounterGrain>("a");

        await grain.AddAsync(3);

        Assert.Equal(3, await grain.ValueAsync());
    }

    [Fact]
    public async Task References_AreEqualWhenTheyNameTheSameGrain()
    {
        await using var host = await RuntimeHost.StartAsync();
        var grain = host.Grains.GetGrain<ITurnGrain>("a");

        Assert.Equal("a", grain.GetPrimaryKeyString());
        Assert.Equal(grain, host.Grains.GetGrain<ITurnGrain>("a"));
        Assert.NotEqual(grain, host.Grains.GetGrain<ITurnGrain>("b"));
        Assert.Equal(grain, await grain.SelfAsync());
    }

    [Fact]
    public async Task UnknownContract_IsAnArgumentError()
    {
        await using var host = await RuntimeHost.StartAsync();
        Assert.Throws<ArgumentException>(() => host.Grains.GetGrain<INobodysGrain>("a"));
        Assert.Throws<ArgumentException>(() => host.Grains.GetGrain<ITurnGrain>(" "));
    }
}

internal sealed class ApplicationTroubleException(string message) : Exception(message);

internal interface INobodysGrain : IGrainWithStringKey;

internal interface ITurnGrain : IGrainWithStringKey
{
    Task WorkAsync(string name);

    [AlwaysInterleave]
    Task<string> LookAsync(string answer);

    [ReadOnly]
    Task ReadAsync(string name);

    Task FailAsync(string message);

    Task FailBeforeFirstAwait(string message);

    [OneWay]
    Task NotifyAsync(string name);

    Task<ITurnGrain> SelfAsync();
}

internal sealed class TurnGrain(Probe probe) : Grain, ITurnGrain
{
    public async Task WorkAsync(string name)
    {
        probe.Say($"begin {name}");
        await probe.GateAsync(name);
        probe.Say($"end {name}");
    }

    public Task<string> LookAsync(string answer) => Task.FromResult(answer);

    public Task ReadAsync(string name) => WorkAsync(name);

    public async Task FailAsync(string message)
    {
        await Task.Yield();
        throw new ApplicationTroubleException(message);
    }

    public Task FailBeforeFirstAwait(string message) => throw new ApplicationTroubleException(message);

    public Task NotifyAsync(string name) => WorkAsync(name);

    public Task<ITurnGrain> SelfAsync() => Task.FromResult(this.AsReference<ITurnGrain>());
}

internal interface ICounterGrain : IGrainWithStringKey
{
    [AlwaysInterleave]
    Task IncrementWithYieldsAsync();

    Task<int> GetAsync();

    Task<int> MostAtOnceAsync();

    ValueTask AddAsync(int amount);

    ValueTask<int> ValueAsync();
}

internal sealed class CounterGrain : Grain, ICounterGrain
{
    private int _count;
    private int _atOnce;
    private int _mostAtOnce;

    public async Task IncrementWithYieldsAsync()
    {
        for (var step = 0; step < 10; step++)
        {
            _mostAtOnce = Math.Max(_mostAtOnce, Interlocked.Increment(ref _atOnce));
            var read = _count;
            Thread.SpinWait(50);
            _count = read + 1;      // loses updates if two threads are here
            Interlocked.Decrement(ref _atOnce);
            await Task.Yield();
        }
    }

    public Task<int> GetAsync() => Task.FromResult(_count);

    public Task<int> MostAtOnceAsync() => Task.FromResult(_mostAtOnce);

    public async ValueTask AddAsync(int amount)
    {
        await Task.Yield();
        _count += amount;
    }

    public ValueTask<int> ValueAsync() => ValueTask.FromResult(_count);
}
