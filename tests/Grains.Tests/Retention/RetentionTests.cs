using Npgsql;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Retention;

/// <summary>What goes away, when, and that nothing of it stays: on a real database, with a clock that the tests move.</summary>
public sealed class RetentionTests(RetentionHost silo) : IClassFixture<RetentionHost>, IDisposable
{
    private readonly string _marker = "zq" + Guid.NewGuid().ToString("N");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        silo.Clock.Shift = TimeSpan.Zero;
        silo.Blobs.CannotDelete = false;
    }

    [Fact]
    public async Task OfADeletedCall_NothingThatWasSaidIsLeftAnywhere()
    {
        var call = await silo.JoinAsync(await silo.CreateAccountAsync(null), _marker, settings => settings with { AgentId = null });
        var callId = call.Settings.CallId;
        await silo.EndAsync(callId);
        Assert.Superset(
            new HashSet<string> { "calls", "call_stages", "call_messages", "call_events", "grain_state" },
            new HashSet<string>(await DatabaseText.TablesWithAsync(silo.Host.Database, _marker, Cancel)));     // the search does find
        Assert.Equal(1L, await silo.ScalarAsync<long>("select count(*) from tool_calls where call_id = $1", callId));
        Assert.True(silo.Blobs.Exists(CallBlobs.Recording(callId)));

        await silo.Host.Call(callId).DeleteAsync();
        Assert.Empty(await DatabaseText.TablesWithAsync(silo.Host.Database, _marker, Cancel));
        Assert.Equal(["deleted_calls"], await DatabaseText.TablesWithAsync(silo.Host.Database, callId, Cancel));
        Assert.False(silo.Blobs.Exists(CallBlobs.Recording(callId)));
    }

    [Fact]
    public async Task ACrashBeforeTheRecordingIsDeleted_LeavesItToTheWorker()
    {
        var account = await silo.CreateAccountAsync(null);
        var call = await silo.JoinAsync(account, _marker);
        var callId = call.Settings.CallId;
        await silo.EndAsync(callId);
        silo.Blobs.CannotDelete = true;
        await silo.Host.Call(callId).DeleteAsync();
        Assert.NotNull(await silo.Host.Store.FindDeletedAsync(account, callId, Cancel));        // for clients it is gone
        Assert.True(silo.Blobs.Exists(CallBlobs.Recording(callId)));

        silo.Clock.Shift += RecordingRemovals.Patience;
        await silo.Worker.RunAsync(Cancel);     // still away: it is tried again
        Assert.True(silo.Blobs.Exists(CallBlobs.Recording(callId)));
        silo.Blobs.CannotDelete = false;
        silo.Clock.Shift += RecordingRemovals.LivePatience;
        await silo.Worker.RunAsync(Cancel);
        Assert.False(silo.Blobs.Exists(CallBlobs.Recording(callId)));
        Assert.DoesNotContain("recording_removals", await DatabaseText.TablesWithAsync(silo.Host.Database, callId, Cancel));
    }

    /// <summary>The journal locks the call, then stores what was said in it.</summary>
    [Fact]
    public async Task ADeletion_TakesTheWordsWithItThatAreBeingStored()
    {
        var callId = (await silo.JoinAsync(await silo.CreateAccountAsync(null), _marker, settings => settings with { AgentId = null })).Settings.CallId;
        await silo.EndAsync(callId);
        await using var journal = await silo.Host.Database.OpenConnectionAsync(Cancel);
        await using var transaction = await journal.BeginTransactionAsync(Cancel);
        await RunAsync("select from calls where call_id = $1 for share");
        await RunAsync($$"""insert into call_messages (call_id, stage_id, index, initial, document) values ($1, 's1', 100, false, '{"text": "{{_marker}}"}')""");
        var deletion = silo.Host.Call(callId).DeleteAsync();
        await Webhooks.Poll.UntilAsync(
            async () => await silo.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and $1 <> ''", callId) > 0,
            () => "the deletion does not wait");
        await RunAsync("update call_messages set document = document where call_id = $1");
        await RunAsync("update call_stages set latest_tokens = 1 where call_id = $1");
        await transaction.CommitAsync(Cancel);
        await deletion;
        Assert.Empty(await DatabaseText.TablesWithAsync(silo.Host.Database, _marker, Cancel));

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, journal) { Parameters = { new() { Value = callId } } };
            await command.ExecuteNonQueryAsync(Cancel);
        }
    }

    [Fact]
    public async Task ALiveCallThatIsDeleted_EndsFirst_SoThatItsMinutesCount()
    {
        var account = await silo.CreateAccountAsync(null);
        var (live, lost) = (await silo.JoinAsync(account, _marker), await silo.JoinAsync(account, _marker));
        await silo.Host.Call(lost.Settings.CallId).EndAsync(new CallOutcome(EndReason.ConnectionError) { MayResume = true });
        foreach (var call in (CallSnapshot[])[live, lost]) await silo.Host.Call(call.Settings.CallId).DeleteAsync();

        var (ofLive, ofLost) = (await FindAsync(live), await FindAsync(lost));
        Assert.Equal(("hangup", "connection_error"), (ofLive.EndReason, ofLost.EndReason));
        Assert.InRange(ofLive.Ended!.Value, live.Joined!.Value, ofLive.DeletionTime);
        Assert.InRange(ofLost.Ended!.Value, lost.Joined!.Value, ofLost.DeletionTime);
        // The conversation tells its end a moment later: by then there is nothing that it could bring back.
        await Assert.ThrowsAsync<PlatformException>(() => silo.Host.Call(live.Settings.CallId).EndAsync(new CallOutcome(EndReason.Hangup)));

        async Task<CallTombstone> FindAsync(CallSnapshot call) => (await silo.Host.Store.FindDeletedAsync(account, call.Settings.CallId, Cancel))!;
    }

    [Fact]
    public async Task WhatAConversationRecordsAfterItsCallWasDeleted_IsDeletedToo()
    {
        var callId = (await silo.JoinAsync(await silo.CreateAccountAsync(null), _marker)).Settings.CallId;
        await silo.Host.Call(callId).DeleteAsync();
        Assert.False(silo.Blobs.Exists(CallBlobs.Recording(callId)));
        await silo.Blobs.OpenWrite(CallBlobs.Recording(callId)).DisposeAsync();       // it has just begun and does not know
        await silo.Worker.RunAsync(Cancel);
        Assert.True(silo.Blobs.Exists(CallBlobs.Recording(callId)));
        silo.Clock.Shift += RecordingRemovals.LivePatience;
        await silo.Worker.RunAsync(Cancel);
        Assert.False(silo.Blobs.Exists(CallBlobs.Recording(callId)));
    }

    [Fact]
    public async Task AfterItsAccountsDays_AnEndedCallIsDeleted_AndNoOther()
    {
        silo.Clock.Shift = TimeSpan.FromDays(-31);
        var (month, ever, twoMonths) = (await silo.CreateAccountAsync(30), await silo.CreateAccountAsync(0), await silo.CreateAccountAsync(60));
        var due = new List<string>();
        for (var i = 0; i < 7; i++) due.Add(await EndedAsync(month));       // more than two batches
        var retained = await EndedAsync(month, settings => settings with { RetentionPolicy = "retain" });
        var others = new[] { await EndedAsync(ever), await EndedAsync(twoMonths), await EndedAsync(await silo.CreateAccountAsync(null)) };
        var live = (await silo.JoinAsync(month, _marker)).Settings.CallId;
        silo.Clock.Shift = TimeSpan.FromDays(-29);
        var young = await EndedAsync(month);

        silo.Clock.Shift = TimeSpan.Zero;
        await Task.WhenAll(silo.Worker.RunAsync(Cancel), silo.Worker.RunAsync(Cancel));     // as two silos would
        foreach (var callId in due) Assert.NotNull(await silo.Host.Store.FindDeletedAsync(month, callId, Cancel));
        foreach (var callId in (string[])[retained, .. others, live, young]) Assert.True(await silo.ExistsAsync(callId));
        foreach (var callId in due) Assert.False(silo.Blobs.Exists(CallBlobs.Recording(callId)));

        await silo.SetRetentionAsync(month, 7);
        await silo.Worker.RunAsync(Cancel);
        Assert.False(await silo.ExistsAsync(young));
        Assert.True(await silo.ExistsAsync(live));
    }

    [Fact]
    public async Task AClockThatRunsAhead_DeletesNothing()
    {
        var callId = await EndedAsync(await silo.CreateAccountAsync(1));
        silo.Clock.Shift = TimeSpan.FromDays(400);
        await silo.Worker.RunAsync(Cancel);
        Assert.True(await silo.ExistsAsync(callId));
    }

    [Fact]
    public async Task WhateverATableSays_TheGrainDecides()
    {
        var call = await silo.JoinAsync(await silo.CreateAccountAsync(1), _marker);
        var grain = silo.Host.Call(call.Settings.CallId);
        Assert.False(await grain.ExpireAsync(DateTimeOffset.UtcNow.AddDays(1)));       // live
        await silo.EndAsync(call.Settings.CallId);
        var ended = (await grain.GetAsync()).Ended!.Value;
        Assert.False(await grain.ExpireAsync(ended));
        Assert.True(await grain.ExpireAsync(ended.AddTicks(10)));
        Assert.False(await silo.ExistsAsync(call.Settings.CallId));
    }

    [Fact]
    public async Task ACallThatASiloTookAndDidNotDelete_IsTakenAgainLater()
    {
        silo.Clock.Shift = TimeSpan.FromDays(-10);
        var account = await silo.CreateAccountAsync(5);
        var callId = await EndedAsync(account);
        silo.Clock.Shift = TimeSpan.FromHours(-1);
        var claims = new Grains.Retention.ExpiredCalls(silo.Host.Database, Microsoft.Extensions.Options.Options.Create(new Grains.Retention.RetentionOptions()), silo.Clock);
        Assert.Contains(callId, (await claims.ClaimAsync(Cancel)).Select(call => call.CallId));     // and this silo dies
        await silo.Worker.RunAsync(Cancel);
        Assert.True(await silo.ExistsAsync(callId));
        silo.Clock.Shift = TimeSpan.Zero;
        await silo.Worker.RunAsync(Cancel);
        Assert.False(await silo.ExistsAsync(callId));
    }

    private async Task<string> EndedAsync(string accountId, Func<CallSettings, CallSettings>? change = null)
    {
        var callId = (await silo.JoinAsync(accountId, _marker, change)).Settings.CallId;
        await silo.EndAsync(callId);
        return callId;
    }
}
