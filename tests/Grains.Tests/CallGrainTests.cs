using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Tests.Calls;
using VoiceGrains.Providers;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests;

/// <summary>The call grain on the real runtime and a real database; restarts are new hosts on the same database.</summary>
public sealed class CallGrainTests : IAsyncLifetime
{
    private static readonly PageRequest AllOnOnePage = new(null, 100);
    private TestDatabase _database = null!;
    private CallHost _host = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

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
    public async Task JoinUrl_WorksOnceAndForNoOneElse()
    {
        var call = await CreateAsync();
        var grain = _host.Call(call.Settings.CallId);
        Assert.Null((await grain.GetAsync()).JoinUrl);
        Assert.Equal(ErrorCode.JoinRefused, await RefusalAsync(grain.JoinAsync(JoinToken.Create(), null)));
        var joined = await grain.JoinAsync(Token(call), "sdk 1");
        Assert.Equal("sdk 1", joined.ClientVersion);
        Assert.NotNull(joined.Joined);
        Assert.Equal(ErrorCode.JoinExpired, await RefusalAsync(grain.JoinAsync(Token(call), null)));
        Assert.Equal(ErrorCode.JoinRefused, await RefusalAsync(grain.JoinAsync("wrong", null)));
    }

    [Fact]
    public async Task TheTokenItself_IsStoredNowhere()
    {
        var call = await CreateAsync();
        Assert.Equal(0L, await ScalarAsync("select count(*) from grain_state where state::text like '%' || $1 || '%'", Token(call)));
        Assert.Equal(0L, await ScalarAsync("select count(*) from calls where document::text like '%' || $1 || '%'", Token(call)));
    }

    [Fact]
    public async Task WhatAuthenticatesATool_IsStoredSealed_AndThereAfterARestart()
    {
        var tool = new CallTool
        {
            CallToolId = "t1", Name = "look", Definition = new CallToolDefinition(), AuthHeaders = new Dictionary<string, string> { ["X-Key"] = "tool-secret" },
        };
        var call = await CreateAsync(settings => settings with { FirstStage = settings.FirstStage with { Tools = [tool] } });
        Assert.Equal(0L, await ScalarAsync("select count(*) from grain_state where state::text like '%' || $1 || '%'", "tool-secret"));
        Assert.Equal(0L, await ScalarAsync("select count(*) from calls where document::text like '%' || $1 || '%'", "tool-secret"));
        await RestartAsync();
        Assert.Equal("tool-secret", Assert.Single((await _host.Call(call.Settings.CallId).GetAsync()).Stage.Tools).AuthHeaders["X-Key"]);
    }

    [Fact]
    public async Task ACallThatNobodyJoins_EndsByItself()
    {
        var call = await CreateAsync(settings => settings with { JoinTimeout = TimeSpan.FromMilliseconds(200) });
        var ended = await EndedAsync(call.Settings.CallId);
        Assert.Equal(EndReason.Unjoined, ended.EndReason);
        Assert.Equal(TimeSpan.Zero, ended.BilledDuration);
        Assert.Equal(ErrorCode.JoinExpired, await RefusalAsync(_host.Call(call.Settings.CallId).JoinAsync(Token(call), null)));
        await PollAsync(async () => await RemindersAsync(call.Settings.CallId) == 0);
    }

    [Fact]
    public async Task TheFirstEnd_Counts()
    {
        var call = await JoinAsync();
        var grain = _host.Call(call.Settings.CallId);
        var first = await grain.EndAsync(new CallOutcome(EndReason.AgentHangup, ErrorCount: 1));
        var second = await grain.EndAsync(new CallOutcome(EndReason.SystemError, ErrorCount: 9));
        Assert.Equal((EndReason.AgentHangup, TimeSpan.FromSeconds(6), 1), (second.EndReason, second.BilledDuration, second.ErrorCount));
        Assert.Equal(first.Ended, second.Ended);
    }

    [Fact]
    public async Task Stages_AreKeptWithTheirInitialMessages()
    {
        var call = await JoinAsync();
        var callId = call.Settings.CallId;
        var stage = call.Stage with { CallStageId = "s2", SystemPrompt = "Next.", InitialMessages = [new Message { Role = MessageRole.User, Text = "so far" }] };
        Assert.True(await _host.Call(callId).EnterStageAsync(stage, 1));
        Assert.True(await _host.Call(callId).EnterStageAsync(stage, 1));
        Assert.False(await _host.Call(callId).EnterStageAsync(stage with { CallStageId = "s3" }, 2));
        var stages = await _host.Store.ListStagesAsync(callId, AllOnOnePage, Cancel);
        Assert.Equal(["Be brief.", "Next."], stages.Results.Select(record => record.Settings.SystemPrompt));
        Assert.Equal("so far", Assert.Single((await _host.Store.ListMessagesAsync(callId, "s2", AllOnOnePage, Cancel)).Results).Text);
        Assert.Empty((await _host.Store.ListMessagesAsync(callId, null, AllOnOnePage, Cancel)).Results);
        Assert.Equal("s2", (await _host.Store.FindAsync("account-1", callId, Cancel))!.Stage.CallStageId);
    }

    [Fact]
    public async Task DataMessages_ReachTheConversation_WhileThereIsOne()
    {
        var call = await JoinAsync();
        var grain = _host.Call(call.Settings.CallId);
        var message = new JsonObject { ["type"] = "hang_up" };
        Assert.Equal(ErrorCode.CallNotLive, await RefusalAsync(grain.SendDataMessageAsync(message)));
        var conversation = new TestConversation(call.Settings.CallId, () => Task.CompletedTask);
        _host.LiveCalls.TryAdd(call.Settings.CallId, conversation);
        await grain.SendDataMessageAsync(message);
        Assert.Equal("hang_up", Assert.Single(conversation.Posted)["type"]!.GetValue<string>());
        conversation.IsOver = true;
        Assert.Equal(ErrorCode.CallNotLive, await RefusalAsync(grain.SendDataMessageAsync(message)));
    }

    [Fact]
    public async Task Delete_WaitsUntilTheConversationHasToldItsEnd_WhichTheTombstoneKeeps()
    {
        var call = await JoinAsync();
        var callId = call.Settings.CallId;
        var grain = _host.Call(callId);
        var ended = call.Joined!.Value;
        var told = Task.CompletedTask;
        // As a real conversation does: first it is over, then what was said in it is stored, then its end.
        _host.LiveCalls.TryAdd(callId, new TestConversation(callId, () =>
        {
            told = Task.Run(async () =>
            {
                await _host.Journal.FlushAsync(callId, Cancel);
                await grain.EndAsync(new CallOutcome(EndReason.AgentHangup, Ended: ended));
            }, Cancel);
            return Task.CompletedTask;
        }));
        await grain.DeleteAsync().WaitAsync(TimeSpan.FromSeconds(30), Cancel);

        var left = await _host.Store.FindDeletedAsync("account-1", callId, Cancel);
        Assert.Equal("agent_hangup", left!.EndReason);
        Assert.Equal(ended, left.Ended!.Value, TimeSpan.FromMilliseconds(1));       // the database keeps microseconds
        await told;
    }

    [Fact]
    public async Task Delete_EndsTheConversationFirst_ThenRemovesEverything()
    {
        var call = await JoinAsync(settings => settings with { RecordingEnabled = true });
        var callId = call.Settings.CallId;
        var grain = _host.Call(callId);
        _host.Blobs.OpenWrite(CallBlobs.Recording(callId)).Dispose();
        var conversation = new TestConversation(callId, () => grain.EndAsync(new CallOutcome(EndReason.Hangup)));
        _host.LiveCalls.TryAdd(callId, conversation);
        _host.Journal.Write(callId, 1, new Message { Text = "hello", CallStageId = "s1" });
        await _host.Journal.FlushAsync(callId, Cancel);

        await grain.DeleteAsync().WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.True(conversation.WasEnded);
        Assert.Equal(ErrorCode.CallNotFound, await RefusalAsync(grain.GetAsync()));
        _host.Journal.Write(callId, 1, new Message { Text = "late", CallStageId = "s1", CallStageMessageIndex = 1 });
        await _host.Journal.FlushAsync(callId, Cancel);
        foreach (var table in (string[])["calls", "call_stages", "call_messages", "call_events"])
            Assert.Equal(0L, await ScalarAsync($"select count(*) from {table} where call_id = $1", callId));
        Assert.Equal(0L, await ScalarAsync("select count(*) from grain_state where grain_key = $1", callId));
        Assert.Null(_host.Blobs.OpenRead(CallBlobs.Recording(callId)));
        Assert.Equal(0, await RemindersAsync(callId));
        var tombstone = await _host.Store.FindDeletedAsync("account-1", callId, Cancel);
        Assert.Equal(("hangup", call.Settings.MaxDuration), (tombstone!.EndReason, tombstone.MaxDuration));
    }

    [Fact]
    public async Task WordsAreFound_WhileTheCallLives_AfterItsEnd_WhenTheyComeLate_AndNoMoreOnceItIsDeleted()
    {
        var call = await JoinAsync();
        var callId = call.Settings.CallId;
        await SayAsync(callId, "A large Pizza Quattro", 0);
        await AssertFoundAsync(true, "quattro PIZZA");
        await _host.Call(callId).EndAsync(new CallOutcome(EndReason.Hangup));
        await PollAsync(async () => await ScalarAsync("select words from calls where call_id = $1", callId) is not DBNull);
        await AssertFoundAsync(true, "quattro PIZZA");
        await AssertFoundAsync(false, "quattro pasta");
        await SayAsync(callId, "and pasta", 1);
        await AssertFoundAsync(true, "quattro pasta");
        await _host.Call(callId).DeleteAsync();
        await AssertFoundAsync(false, "quattro");

        async Task SayAsync(string id, string text, int index)
        {
            _host.Journal.Write(id, 1, new Message { Role = MessageRole.User, Text = text, CallStageId = call.Stage.CallStageId, CallStageMessageIndex = index });
            await _host.Journal.FlushAsync(id, Cancel);
        }

        async Task AssertFoundAsync(bool expected, string words)
            => Assert.Equal(expected ? 1 : 0, (await _host.Store.ListAsync("account-1", new CallFilter { Search = words }, AllOnOnePage, Cancel)).Total);
    }

    [Fact]
    public async Task ACallThatAsksForIt_IsDeletedAfterItsEnd()
    {
        var call = await JoinAsync(settings => settings with { RetentionPolicy = "auto_delete" });
        await _host.Call(call.Settings.CallId).EndAsync(new CallOutcome(EndReason.Hangup));
        await PollAsync(async () => await _host.Store.FindDeletedAsync("account-1", call.Settings.CallId, Cancel) is not null);
        Assert.Null(await _host.Store.FindAsync("account-1", call.Settings.CallId, Cancel));
    }

    [Fact]
    public async Task AnEndedCall_IsSummarized()
    {
        var call = await JoinAsync();
        await SayAsync(call.Settings.CallId);
        await _host.Call(call.Settings.CallId).EndAsync(new CallOutcome(EndReason.Hangup));
        var summarized = await SnapshotAsync(call.Settings.CallId, snapshot => snapshot.Summary is not null);
        Assert.Contains("pizza", summarized.Summary, StringComparison.Ordinal);
        Assert.Contains("pizza", summarized.ShortSummary, StringComparison.Ordinal);
        Assert.True(summarized.ShortSummary!.Length <= summarized.Summary!.Length);
    }

    [Fact]
    public async Task ACallInWhichTheUserSaidNothing_HasNoSummary()
    {
        var call = await JoinAsync();
        await _host.Call(call.Settings.CallId).EndAsync(new CallOutcome(EndReason.Hangup));
        await PollAsync(async () => await RemindersAsync(call.Settings.CallId) == 0);
        Assert.Null((await _host.Call(call.Settings.CallId).GetAsync()).Summary);
    }

    [Fact]
    public async Task AFailingModel_LeavesWordsOfTheTranscriptAndAnEvent()
    {
        await RestartAsync(new FailingModels());
        var call = await JoinAsync();
        await SayAsync(call.Settings.CallId);
        await _host.Call(call.Settings.CallId).EndAsync(new CallOutcome(EndReason.Hangup));
        await PollAsync(async () => (await EventsAsync(call.Settings.CallId, "summary_failed")).Count > 0);
        var left = await SnapshotAsync(call.Settings.CallId, snapshot => snapshot.Summary is not null);
        Assert.StartsWith("The user said: \"", left.ShortSummary, StringComparison.Ordinal);
        Assert.Contains("pizza", left.ShortSummary, StringComparison.Ordinal);
        Assert.Equal(Severity.Warning, Assert.Single(await EventsAsync(call.Settings.CallId, "summary_failed")).Severity);
    }

    [Fact]
    public async Task AfterARestart_AnOwedSummaryIsWritten()
    {
        await RestartAsync(new FailingModels { Hangs = true });
        var call = await JoinAsync();
        await SayAsync(call.Settings.CallId);
        await _host.Call(call.Settings.CallId).EndAsync(new CallOutcome(EndReason.Hangup));
        await RestartAsync();
        await SnapshotAsync(call.Settings.CallId, snapshot => snapshot.Summary is not null);
    }

    [Fact]
    public async Task AfterARestart_ACallThatNobodyComesBackTo_HasEndedWhereItWasLastHeardOf()
    {
        var call = await JoinAsync();
        var callId = call.Settings.CallId;
        _host.Journal.Write(callId, 1, new Message
        {
            Role = MessageRole.Agent, Text = "hello", CallStageId = "s1",
            WallClockTimespan = new InCallTimespan(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(40)),
        });
        await _host.Journal.FlushAsync(callId, Cancel);
        await PollAsync(() => Task.FromResult(DateTimeOffset.UtcNow - call.Joined > TimeSpan.FromMilliseconds(60)));
        await RestartAsync(grace: "00:00:01");

        var ended = await EndedAsync(callId);
        Assert.Equal(EndReason.ConnectionError, ended.EndReason);
        Assert.Equal(TimeSpan.FromMilliseconds(40), ended.Ended - ended.Joined);
        Assert.Equal("hello", Assert.Single((await _host.Store.ListMessagesAsync(callId, null, AllOnOnePage, Cancel)).Results).Text);
        await PollAsync(async () => (await EventsAsync(callId, "call_ended")).SingleOrDefault()?.Text.Contains("connection_error", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task AfterARestart_AWaitingCallStillWaits_AndALateOneHasEnded()
    {
        var waiting = await CreateAsync(settings => settings with { JoinTimeout = TimeSpan.FromMinutes(10) });
        var late = await CreateAsync(settings => settings with { JoinTimeout = TimeSpan.FromSeconds(1) });
        await _host.DisposeAsync();
        await PollAsync(() => Task.FromResult(DateTimeOffset.UtcNow > late.Settings.Created.AddSeconds(1)));
        _host = await CallHost.StartAsync(_database);
        var ended = await EndedAsync(late.Settings.CallId);
        Assert.Equal(EndReason.Unjoined, ended.EndReason);
        Assert.Equal(late.Settings.Created.AddSeconds(1), ended.Ended!.Value, TimeSpan.FromMicroseconds(1));     // as exact as the database keeps it
        Assert.NotNull((await _host.Call(waiting.Settings.CallId).JoinAsync(Token(waiting), null)).Joined);
    }

    private Task<CallSnapshot> CreateAsync(Func<CallSettings, CallSettings>? change = null)
    {
        // As PostgreSQL and the wire keep times.
        var now = DateTimeOffset.UtcNow;
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond)));
        settings = change?.Invoke(settings) ?? settings;
        return _host.Call(settings.CallId).CreateAsync(settings);
    }

    private async Task<CallSnapshot> JoinAsync(Func<CallSettings, CallSettings>? change = null)
    {
        var call = await CreateAsync(change);
        return await _host.Call(call.Settings.CallId).JoinAsync(Token(call), null);
    }

    private async Task SayAsync(string callId)
    {
        _host.Journal.Write(callId, 1, new Message { Role = MessageRole.User, Text = "I want a pizza", CallStageId = "s1" });
        _host.Journal.Write(callId, 1, new Message { Role = MessageRole.Agent, Text = "It is on its way", CallStageId = "s1", CallStageMessageIndex = 1 });
        await _host.Journal.FlushAsync(callId, Cancel);
    }

    private async Task RestartAsync(Providers.Catalog.ILanguageModelCatalog? models = null, string grace = "00:00:30")
    {
        await _host.DisposeAsync();
        _host = await CallHost.StartAsync(_database, models, grace);
    }

    private Task<CallSnapshot> EndedAsync(string callId) => SnapshotAsync(callId, snapshot => snapshot.Ended is not null);

    /// <summary>By the table, so that waiting does not wake the grain.</summary>
    private async Task<CallSnapshot> SnapshotAsync(string callId, Func<CallSnapshot, bool> isThere)
    {
        CallSnapshot? snapshot = null;
        await PollAsync(async () => (snapshot = await _host.Store.FindAsync("account-1", callId, Cancel)) is not null && isThere(snapshot));
        return snapshot!;
    }

    private async Task<IReadOnlyList<CallEvent>> EventsAsync(string callId, string type)
        => (await _host.Store.ListEventsAsync(callId, Severity.Debug, type, AllOnOnePage, Cancel)).Results;

    private async Task<long> RemindersAsync(string callId) => (long)(await ScalarAsync("select count(*) from grain_reminders where grain_key = $1", callId))!;

    private async Task<object?> ScalarAsync(string sql, string value)
    {
        await using var command = _host.Database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = value });
        return await command.ExecuteScalarAsync(Cancel);
    }

    private static string Token(CallSnapshot call) => call.JoinUrl!.Split('/')[^1];

    private static async Task<ErrorCode> RefusalAsync(Task task) => (await Assert.ThrowsAsync<PlatformException>(() => task)).Code;

    private static async Task PollAsync(Func<Task<bool>> isTrue)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await isTrue()) await Task.Delay(20, deadline.Token);
    }

    private sealed class TestConversation(string callId, Func<Task> end) : ILiveCall
    {
        public CallRun Run => new(callId, 1);
        public List<JsonObject> Posted { get; } = [];
        public bool IsOver { get; set; }
        public bool WasEnded { get; private set; }

        public bool TryPost(JsonObject message)
        {
            if (IsOver) return false;
            Posted.Add(message);
            return true;
        }

        public async Task EndAsync(EndReason reason, CancellationToken cancellationToken)
        {
            await end();
            WasEnded = true;
        }
    }
}
