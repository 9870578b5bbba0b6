using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Tests.Activations;

public sealed class ChurnTests
{
    [Fact]
    public async Task NoRequestIsLostWhileActivationsComeAndGo()
    {
        await using var host = await RuntimeHost.StartAsync(options: options => options.CollectionAge = TimeSpan.FromMilliseconds(1));
        const int Grains = 8;
        const int Callers = 4;
        const int Calls = 250;

        await Task.WhenAll(Enumerable.Range(0, Grains * Callers).Select(async caller =>
        {
            var grain = host.Grains.GetGrain<ILedgerGrain>($"g{caller % Grains}");
            for (var call = 0; call < Calls; call++)
            {
                await grain.AddAsync(leave: (caller + call) % 7 == 0);
                if (call % 10 == 0)
                    await grain.PeekAsync();
            }
        }));

        for (var grain = 0; grain < Grains; grain++)
            Assert.Equal(Callers * Calls, await host.Grains.GetGrain<ILedgerGrain>($"g{grain}").PeekAsync());
    }

    [Fact]
    public async Task LastRequest_CanStillBeServedByInterleavingOnes()
    {
        await using var host = await RuntimeHost.StartAsync();

        Assert.Equal(0, await host.Grains.GetGrain<ILedgerGrain>("a").LeaveAndAskBackAsync());
    }
}

internal sealed class LedgerState
{
    public int Sum { get; set; }
}

internal interface ILedgerGrain : IGrainWithStringKey
{
    Task AddAsync(bool leave);

    [AlwaysInterleave]
    Task<int> PeekAsync();

    Task<int> LeaveAndAskBackAsync();
}

internal sealed class LedgerGrain([PersistentState("ledger")] IPersistentState<LedgerState> ledger) : Grain, ILedgerGrain
{
    public async Task AddAsync(bool leave)
    {
        if (leave)
            DeactivateOnIdle();
        var next = ledger.State.Sum + 1;
        await Task.Yield();
        ledger.State.Sum = next;
        await ledger.WriteStateAsync();
    }

    public Task<int> PeekAsync() => Task.FromResult(ledger.State.Sum);

    public Task<int> LeaveAndAskBackAsync()
    {
        DeactivateOnIdle();
        return this.AsReference<ILedgerGrain>().PeekAsync();
    }
}
