using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Tests.Calls;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests;

/// <summary>A call whose conversation is lost, as its grain and the database see it.</summary>
public sealed class CallResumeTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private CallHost _host = null!;
    private string _callId = "";
    private string _token = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ICallGrain Grain => _host.Call(_callId);

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync(Cancel);
        _host = await CallHost.StartAsync(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task ALostConnection_LeavesTheCallOpen_AndTheSameUrlGoesOnWithIt()
    {
        var first = await JoinAsync();
        Assert.Equal(1, first.Generation);
        Assert.Equal(ErrorCode.JoinExpired, await RefusalAsync(Grain.JoinAsync(_token, null)));

        var interrupted = await Grain.EndAsync(Lost(1));
        Assert.Null(interrupted.Ended);
        Assert.Equal(ErrorCode.JoinRefused, await RefusalAsync(Grain.JoinAsync(_token + "x", null)));
        var second = await Grain.JoinAsync(_token, "sdk 2");
        Assert.Equal((2, "sdk 2", first.Joined), (second.Generation, second.ClientVersion, second.Joined));
        Assert.Equal(ErrorCode.JoinExpired, await RefusalAsync(Grain.JoinAsync(_token, null)));
    }

    [Fact]
    public async Task AnOlderConversation_CountsNoMore()
    {
        await JoinAsync();
        await Grain.EndAsync(Lost(1));
        Write(1, "stored late, before anybody came back", index: 0);
        await FlushAsync();
        await Grain.JoinAsync(_token, null);

        Write(1, "of the lost one", index: 1);
        _host.Journal.Write(1, Event("late"));
        Write(2, "of the new one", index: 1);
        _host.Journal.Write(2, Event("new"));
        await FlushAsync();
        Assert.Null((await Grain.EndAsync(new CallOutcome(EndReason.Hangup) { Generation = 1 })).Ended);
        Assert.False(await Grain.HoldAsync(1, "another host"));

        Assert.Equal(["stored late, before anybody came back", "of the new one"], await TextsAsync());
        Assert.Equal(["new"], (await _host.Store.ListEventsAsync(_callId, Severity.Debug, null, new(null, 10), Cancel)).Results.Select(e => e.Type));
        Assert.Equal(EndReason.Hangup, (await Grain.EndAsync(new CallOutcome(EndReason.Hangup) { Generation = 2 })).EndReason);
    }

    [Fact]
    public async Task NobodyComesBack_AndTheCallEndsAsOfTheLoss()
    {
        await RestartAsync(grace: "00:00:01");
        await JoinAsync(settings => settings with { Callbacks = new JsonObject { ["ended"] = new JsonObject { ["url"] = "https://example.com/ended" } } });
        var before = DateTimeOffset.UtcNow;
        await Grain.EndAsync(Lost(1));
        var after = DateTimeOffset.UtcNow;
        CallSnapshot? call = null;
        await PollAsync(async () => (call = await _host.Store.FindAsync("account-1", _callId, Cancel))!.Ended is not null);
        Assert.Equal(EndReason.ConnectionError, call!.EndReason);
        Assert.InRange(call.Ended!.Value, before.AddMilliseconds(-1), after.AddMilliseconds(1));
        Assert.Equal(ErrorCode.JoinExpired, await RefusalAsync(Grain.JoinAsync(_token, null)));
        await PollAsync(async () => (await _host.Store.ListEventsAsync(_callId, Severity.Debug, "call_ended", new(null, 10), Cancel)).Results.Count == 1);
        Assert.Equal("call.ended", await ScalarAsync("select string_agg(event, ',') from webhook_outbox where call_id = $1"));
        Assert.DoesNotContain("example.com", (string)(await ScalarAsync("select callback::text from webhook_outbox where call_id = $1"))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AfterARestart_TheClientGoesOn_WithWhatWasStored()
    {
        await JoinAsync();
        _host.Journal.Write(_callId, 1, new Message
        {
            Role = MessageRole.User, Text = "I want a pizza", CallStageId = "s1", WallClockTimespan = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)),
            Timespan = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.5)),
        });
        _host.Journal.Write(_callId, 1, new Message { Role = MessageRole.ToolResult, InvocationId = "i", CallState = new() { ["pizzas"] = 1 }, CallStageId = "s1", CallStageMessageIndex = 1 });
        await FlushAsync();
        await RestartAsync();

        CallSnapshot? resumed = null;
        await PollAsync(async () => (resumed = await Grain.JoinAsync(_token, null)).Generation == 2);
        var past = await _host.PastAsync(resumed!);
        Assert.Equal(["I want a pizza", null], past.Messages.Select(message => message.Text));
        Assert.Equal(1, past.CallState!["pizzas"]!.GetValue<int>());
        Assert.Equal((2, TimeSpan.FromSeconds(1.5)), (past.NextIndex, past.Input));
        Assert.True(past.NextOrdinal >= 1);
        Assert.True(past.Wall >= TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task ThreadsThatHadNotEnded_AreKnownToBeLost()
    {
        await JoinAsync();
        foreach (var (type, thread) in ((string, string)[])[("thread_spawned", "lives"), ("thread_spawned", "failed"), ("thread_failed", "failed"),
            ("thread_spawned", "again"), ("thread_terminated", "again"), ("thread_spawned", "again"), ("thread_spawned", "ended"), ("thread_terminated", "ended"), ("thread_rejected", "refused")])
            _host.Journal.Write(1, Event(type) with { Extras = new JsonObject { ["threadId"] = thread } });
        await FlushAsync();
        await Grain.EndAsync(Lost(1));
        var past = await _host.PastAsync(await Grain.JoinAsync(_token, null));
        Assert.Equal(["again", "lives"], past.LostThreads);
    }

    [Fact]
    public async Task ACallThatChangedItsStage_GoesOnInIt_WithWhatItsJournalAdded()
    {
        var first = await JoinAsync();
        Message Carried(string text, int index) => new() { Role = MessageRole.User, Text = text, CallStageId = "s2", CallStageMessageIndex = index };
        var stage = first.Stage with { CallStageId = "s2", SystemPrompt = "Next.", InitialState = new() { ["fresh"] = true }, InitialMessages = [Carried("before", 0) with { CallState = new() { ["old"] = true } }] };
        Assert.True(await Grain.EnterStageAsync(stage, 1));
        _host.Journal.Write(_callId, 1, Carried("corrected", 0), isInitial: true);
        _host.Journal.Write(_callId, 1, Carried("while it was stored", 1), isInitial: true);
        _host.Journal.Write(_callId, 1, Carried("in it", 2));
        _host.Journal.Write(_callId, 1, new StageTokens("s2", 40));
        _host.Journal.Write(_callId, 1, new StageTokens("s2", 50));
        await FlushAsync();
        _host.Journal.Write(_callId, 1, new StageTokens("s2", 60));
        await FlushAsync();
        await Grain.EndAsync(Lost(1));
        Assert.False(await Grain.EnterStageAsync(stage with { CallStageId = "s3" }, 2));

        var resumed = await Grain.JoinAsync(_token, null);
        Assert.Equal(("s2", "Next.", 2), (resumed.Stage.CallStageId, resumed.Stage.SystemPrompt, resumed.StageCount));
        var past = await _host.PastAsync(resumed);
        Assert.Equal(["corrected", "while it was stored", "in it"], past.Messages.Select(message => message.Text));
        Assert.Equal((2, 3, null), (past.InitialCount, past.NextIndex, past.CallState));
        Assert.Equal(["in it"], await TextsAsync());
        var stages = (await _host.Store.ListStagesAsync(_callId, new(null, 10), Cancel)).Results;
        Assert.Equal([(null, null), (40, 60)], stages.Select(record => (record.InitialTokens, record.LatestTokens)));
        Assert.False(await Grain.EnterStageAsync(stage with { CallStageId = "s3" }, 1));
    }

    [Fact]
    public async Task AConversationThatWasTakenForLost_IsHeldAgain()
    {
        await JoinAsync();
        await Grain.EndAsync(Lost(1));
        Assert.True(await Grain.HoldAsync(1, "a host that lives"));
        Assert.Equal("a host that lives", await ScalarAsync("select host from calls where call_id = $1"));
    }

    [Fact]
    public async Task ARecordedCall_KeepsWhereEachPartBegan()
    {
        await JoinAsync(settings => settings with { RecordingEnabled = true });
        await Grain.EndAsync(Lost(1));
        var parts = (await Grain.JoinAsync(_token, null)).RecordingParts;
        Assert.Equal([1, 2], parts.Select(part => part.Generation));
        Assert.Equal(TimeSpan.Zero, parts[0].Start);
        Assert.True(parts[1].Start > TimeSpan.Zero);
    }

    private static CallOutcome Lost(int generation) => new(EndReason.ConnectionError) { Generation = generation, MayResume = true };

    private CallEvent Event(string type) => new(_callId, "s1", TimeSpan.Zero, Severity.Info, type, "", null, null);

    private void Write(int generation, string text, int index)
        => _host.Journal.Write(_callId, generation, new Message { Role = MessageRole.Agent, Text = text, CallStageId = "s1", CallStageMessageIndex = index });

    private Task FlushAsync() => _host.Journal.FlushAsync(_callId, Cancel);

    private async Task<IEnumerable<string?>> TextsAsync()
        => (await _host.Store.ListMessagesAsync(_callId, null, new(null, 10), Cancel)).Results.Select(message => message.Text);

    private async Task<CallSnapshot> JoinAsync(Func<CallSettings, CallSettings>? change = null)
    {
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), DateTimeOffset.UtcNow);
        settings = change?.Invoke(settings) ?? settings;
        _callId = settings.CallId;
        _token = (await Grain.CreateAsync(settings)).JoinUrl!.Split('/')[^1];
        return await Grain.JoinAsync(_token, null);
    }

    private async Task RestartAsync(string grace = "00:00:30")
    {
        await _host.DisposeAsync();
        _host = await CallHost.StartAsync(_database, grace: grace);
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = _host.Database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = _callId });
        return await command.ExecuteScalarAsync(Cancel);
    }

    private static async Task<ErrorCode> RefusalAsync(Task task) => (await Assert.ThrowsAsync<PlatformException>(() => task)).Code;

    private static async Task PollAsync(Func<Task<bool>> isTrue)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await isTrue()) await Task.Delay(20, deadline.Token);
    }
}
