using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>Calls whose silo dies, sleeps or leaves, in a cluster of real processes; their clients speak.</summary>
[Collection(ClusterCollection.Name)]
public sealed class CallResumeTests(SharedCluster shared) : IAsyncLifetime
{
    // Whatever a busy machine lets the recognizer hear.
    private const string Prompt = """Otherwise: say "One two three four five six seven eight nine ten." """;

    private readonly ClusterProcesses cluster = shared.Processes;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await cluster.MendAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task AKilledSilosCall_GoesOnOnAnother_AndACallElsewhereNoticesNothing()
    {
        using var api = await ClientAsync();
        await using var call = await TalkAsync(api);
        await using var bystander = await TalkElsewhereAsync(api, call);

        cluster.Silo(await cluster.SiloOfAsync(call.CallId)).KillHard();
        await call.WaitForCloseAsync();
        await using var back = await call.ReturnAsync();
        await AskAsync(back);
        await AskAsync(bystander);
        Assert.Equal("hangup", (await back.LeaveAsync()).GetProperty("endReason").GetString());
        Assert.Equal("hangup", (await bystander.LeaveAsync()).GetProperty("endReason").GetString());
        await AssertTwoTurnsAsync(back, resumed: 1);
        await AssertTwoTurnsAsync(bystander, resumed: 0);
    }

    /// <summary>The silo sleeps for longer than its leases, its call goes on elsewhere, and it wakes up believing that the call is its own.</summary>
    [Fact]
    public async Task ASiloThatSlept_ChangesNothingOfACallThatWentOnWithoutIt()
    {
        using var api = await ClientAsync();
        await using var call = await TalkAsync(api);
        var owner = cluster.Silo(await cluster.SiloOfAsync(call.CallId));
        owner.Signal(SiloProcess.SigStop);
        await call.VanishAsync();
        await using var back = await call.ReturnAsync();
        await AskAsync(back);
        owner.Signal(SiloProcess.SigCont);
        await owner.UntilPrintedAsync("has its place in the cluster again");
        Assert.Equal("hangup", (await back.LeaveAsync()).GetProperty("endReason").GetString());
        await AssertTwoTurnsAsync(back, resumed: 1);
    }

    [Fact]
    public async Task ASiloThatIsStoppedInAHurry_HandsItsCallsOver()
    {
        using var api = await ClientAsync();
        await using var call = await TalkAsync(api);
        cluster.Silo(await cluster.SiloOfAsync(call.CallId)).Signal(SiloProcess.SigTerm);       // Drain:Timeout is 0 here
        await call.WaitForCloseAsync();
        Assert.Equal(1001, (int?)call.Socket.CloseStatus);
        await using var back = await call.ReturnAsync();
        await AskAsync(back);
        Assert.Equal("hangup", (await back.LeaveAsync()).GetProperty("endReason").GetString());
        await AssertTwoTurnsAsync(back, resumed: 1);
    }

    private static async Task<LiveCall> TalkAsync(ApiClient api) => await TalkAsync(await CreateAsync(api));

    private static async Task<LiveCall> TalkAsync(LiveCall call)
    {
        await call.JoinAsync();
        await AskAsync(call);
        // What the API has shown is stored.
        await call.ListUntilAsync("messages", list => list.Count == 2 && list[1].GetProperty("text").GetString()!.EndsWith("ten.", StringComparison.Ordinal), LiveCall.Patience);
        return call;
    }

    /// <summary>On another silo: one that has just been started has room for many calls before the other gets one.</summary>
    private async Task<LiveCall> TalkElsewhereAsync(ApiClient api, LiveCall call)
    {
        var (taken, another) = (await cluster.SiloOfAsync(call.CallId), await CreateAsync(api));
        await Poll.UntilAsync(async () =>
        {
            if (await cluster.SiloOfAsync(another.CallId) != taken) return true;
            await another.DisposeAsync();
            another = await CreateAsync(api);
            return false;
        }, () => $"All calls are on silo {taken}.");
        return await TalkAsync(another);
    }

    private static Task<LiveCall> CreateAsync(ApiClient api)
        => LiveCall.CreateAsync(api, LiveCall.Request(Prompt, """{"recordingEnabled":true,"firstSpeakerSettings":{"user":{}}}"""));

    private static async Task AskAsync(LiveCall call)
    {
        var before = call.Now;
        call.Say(HumanSpeech.GoForward());
        await call.WaitForFinalAsync("user", after: before);
        await call.WaitForFinalAsync("agent", after: before);
    }

    /// <summary>Everything that was said is there once and in order, and so are the events.</summary>
    private static async Task AssertTwoTurnsAsync(LiveCall call, int resumed)
    {
        var messages = await call.ListAsync("messages");
        Assert.Equal(Enumerable.Range(0, messages.Count), messages.Select(m => m.GetProperty("callStageMessageIndex").GetInt32()));
        var roles = messages.Select(m => m.GetProperty("role").GetString()![13..]).ToList();
        // A busy machine may tear the user's words into two turns; each time they were answered.
        Assert.Equal(["USER", "AGENT", "USER", "AGENT"], roles.Where((role, i) => i == 0 || role != roles[i - 1]));
        Assert.All(messages.Where((_, i) => roles[i] == "AGENT"), m => Assert.StartsWith("One two", m.GetProperty("text").GetString(), StringComparison.Ordinal));
        Assert.NotEmpty(messages[0].GetProperty("text").GetString()!);
        var events = (await call.ListUntilAsync("events", list => list.Any(e => e.GetProperty("type").GetString() == "call_ended"))).Select(e => e.GetProperty("type").GetString()).ToList();
        Assert.Equal(resumed, events.Count(type => type == "call_resumed"));
        Assert.Equal("call_ended", events[^1]);
        Assert.InRange(events.Count(type => type == "turn_latency"), 0, 2);     // none for a turn that waited for its answer while the user went on
    }

    private async Task<ApiClient> ClientAsync()
    {
        var key = (await File.ReadAllTextAsync(Path.Combine(cluster.Gateway.Data, "api-key"), Cancel)).Trim();
        return new ApiClient(cluster.Gateway.Url, new Account { AccountId = Guid.Empty, Name = "", Plan = "" }, key);
    }
}
