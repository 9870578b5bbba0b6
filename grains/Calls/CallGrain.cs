using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using Orleans.Placement;
using Orleans.Runtime;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Keeps a call's state and its deadlines. While the conversation runs on this silo the grain stays active. A joined call without a conversation anywhere
/// has lost its silo: it waits for its client as one whose connection was lost does, and ends when nobody comes.
/// </summary>
[PreferLocalPlacement]
internal sealed partial class CallGrain(
    [PersistentState("call")] IPersistentState<CallState> state, CallServices services, TimeProvider clock, ILogger<CallGrain> logger)
    : Grain, ICallGrain, IRemindable
{
    /// <summary>The net under timers and tasks of this activation, for when its silo dies.</summary>
    private const string Watch = "watch";
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMinutes(2);

    /// <summary>Bound of ending a live conversation before its call is deleted.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long an end is tried to be stored. Below the time that a caller waits for its answer.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);

    /// <summary>Deletion and the summary run between requests; changes of the state take turns by this.</summary>
    private readonly SemaphoreSlim _changing = new(1);
    private readonly CancellationTokenSource _deactivating = new();
    /// <summary>For whatever client the call waits.</summary>
    private IGrainTimer? _waitTimer;
    private Task _summary = Task.CompletedTask;
    /// <summary>Completes when a conversation has told its end.</summary>
    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private string CallId => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (state.RecordExists) await ResumeAsync(isNew: true);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _deactivating.CancelAsync();
        await _summary.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async Task<CallSnapshot> CreateAsync(CallSettings settings, CallLimits? limits)
    {
        if (state.RecordExists) throw new InvalidOperationException($"Call '{CallId}' exists.");
        services.Admission.RequireOpen();
        var token = JoinToken.Create();
        state.State.Create(settings, JoinToken.Hash(token));
        // Before the state: a reminder without a call does nothing, a call without its reminder might wait for ever.
        await this.RegisterOrUpdateReminder(Watch, settings.JoinTimeout + WatchPeriod, WatchPeriod);
        await StoreNewAsync(limits ?? CallLimits.None);
        StartJoinTimer();
        services.Metrics.Created();
        return state.State.ToSnapshot(joinUrl: services.Place.JoinUrl($"/calls/{CallId}/join/{token}"));
    }

    /// <exception cref="PlatformException">A limit is reached: there is no call to watch.</exception>
    private async Task StoreNewAsync(CallLimits limits)
    {
        try
        {
            using var turn = limits.IsNone ? null : await services.Turns.TakeAsync(state.State.Settings!.AccountId);
            state.State.Limits = limits;
            await ChangeAsync();
            state.State.Limits = null;
        }
        catch (PlatformException)
        {
            await StopWatchAsync();
            throw;
        }
    }

    public Task<CallSnapshot> GetAsync()
    {
        RequireCall();
        return Task.FromResult(state.State.ToSnapshot());
    }

    public Task<CallLocation> LocateAsync()
    {
        RequireCall();
        return Task.FromResult(services.Place.Location);
    }

    public async Task<CallSnapshot> JoinAsync(string joinToken, string? clientVersion)
    {
        RequireCall();
        if (state.State.IsToken(joinToken)) await RequireNoConversationAsync();
        switch (state.State.TryJoin(joinToken, clientVersion, services.Host.Id, clock.GetUtcNow()))
        {
            case JoinResult.Refused:
                throw new PlatformException(ErrorCode.JoinRefused, "The join URL is wrong.");
            case JoinResult.Expired:
                throw new PlatformException(ErrorCode.JoinExpired, "The join URL was used already or its time is over.");
        }
        StopWaiting();
        await ChangeAsync();
        if (state.State.Generation > 1) services.Metrics.Resumed();
        DelayDeactivation(state.State.Settings!.MaxDuration + WatchPeriod);
        return state.State.ToSnapshot();
    }

    public async Task<bool> EnterStageAsync(StageSettings stage, int generation)
    {
        RequireCall();
        if (!state.State.TryEnterStage(stage, generation, out var isNew)) return false;
        if (isNew) await ChangeAsync();
        return true;
    }

    public async Task<CallSnapshot> EndAsync(CallOutcome outcome)
    {
        RequireCall();
        var began = clock.GetUtcNow();
        var ended = outcome.Ended is { } told && told < began ? told : began;
        for (var (again, delay) = (false, FirstRetry); ; (again, delay) = (true, delay * 2))
        {
            try
            {
                if (again) await state.ReadStateAsync();        // which of the two states is stored, nobody knows
                if (outcome.Generation < state.State.Generation) return state.State.ToSnapshot();
                if (outcome.MayResume && services.Resume.Grace > TimeSpan.Zero) await InterruptAsync(ended);
                else await EndAsync(outcome, ended);
                if (outcome.MayResume && state.State.Ended is not null) WriteEnded();
                _told.TrySetResult();
                return state.State.ToSnapshot();
            }
            catch (NpgsqlException) when (clock.GetUtcNow() - began + delay < EndPatience)
            {
                // How a conversation ended is known only here and now: that is worth waiting for a database that is away.
                await Task.Delay(delay, clock);
            }
        }
    }

    public Task SendDataMessageAsync(JsonObject message)
    {
        RequireCall();
        if (!state.State.IsLive || !services.LiveCalls.TryGet(CallId, out var conversation) || !conversation.TryPost(message))
            throw new PlatformException(ErrorCode.CallNotLive, "The call is not joined or has ended.");
        return Task.CompletedTask;
    }

    /// <summary>Runs between other requests, for the same reason as <see cref="DeleteAsync"/>.</summary>
    public async Task<CallSnapshot> HangUpAsync()
    {
        RequireCall();
        if (services.LiveCalls.TryGet(CallId, out var conversation)) await EndConversationAsync(conversation);
        // Also for a conversation that did not end in time: it finds out that its call is over.
        await EndAsync(new CallOutcome(EndReason.Hangup), clock.GetUtcNow());
        return state.State.ToSnapshot();
    }

    /// <summary>Runs between other requests, so that the conversation's own <see cref="EndAsync(CallOutcome)"/> can get through while this waits for it.</summary>
    public async Task DeleteAsync()
    {
        RequireCall();
        if (services.LiveCalls.TryGet(CallId, out var conversation)) await EndConversationAsync(conversation);
        await AbandonLostAsync();
        await RemoveAsync(state.State is { Ended: not null, Settings.RetentionPolicy: "auto_delete" } ? "auto_delete" : "request");
    }

    /// <summary>A call that waits for its client has no conversation that could tell its end.</summary>
    private async Task AbandonLostAsync()
    {
        if (state.State.TryAbandon()) await StoreEndAsync();
    }

    public async Task<bool> ExpireAsync(DateTimeOffset endedBefore)
    {
        RequireCall();
        return state.State.IsOverSince(endedBefore) && await RemoveAsync("expired");
    }

    /// <summary>The transaction that makes the call a tombstone comes first: from then on nothing of it can be found, and what is left to delete is noted there.</summary>
    private async Task<bool> RemoveAsync(string reason)
    {
        await _changing.WaitAsync();
        try
        {
            if (!state.RecordExists) return false;
            await SaveAsync(state.ClearStateAsync);
        }
        finally
        {
            _changing.Release();
        }
        services.Metrics.Deleted(reason);
        LogDeleted(CallId, reason);
        await services.Recordings.RemoveAsync(CallId);
        await StopWatchAsync();
        DeactivateOnIdle();
        return true;
    }

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (!state.RecordExists) await StopWatchAsync();
        else await ResumeAsync(isNew: false);
    }

    /// <summary>Takes up what the call waits for: its client, its conversation, its summary or its removal.</summary>
    /// <param name="isNew">Whether the activation is, so that nothing can be under way that it does not know of.</param>
    private async Task ResumeAsync(bool isNew)
    {
        var call = state.State;
        if (call.SummaryStatus == SummaryStatus.Pending) StartSummary();
        else if (call.Ended is not null) await FinishAsync();
        else if (call.Interrupted is not null) WaitForReturn();
        else if (call.Joined is { } joined) await LookForConversationAsync(joined);
        else if (clock.GetUtcNow() >= call.JoinDeadline) await EndAsync(new CallOutcome(EndReason.Unjoined), call.JoinDeadline);
        else if (isNew) StartJoinTimer();
    }

    private void StartJoinTimer()
    {
        _waitTimer?.Dispose();
        var due = state.State.JoinDeadline - clock.GetUtcNow();
        _waitTimer = this.RegisterGrainTimer(
            () => state.State.Joined is null ? EndAsync(new CallOutcome(EndReason.Unjoined), clock.GetUtcNow()) : Task.CompletedTask,
            due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private async Task EndAsync(CallOutcome outcome, DateTimeOffset ended)
    {
        if (state.State.TryEnd(outcome, ended)) await SettleEndAsync();
    }

    private async Task SettleEndAsync()
    {
        await StoreEndAsync();
        if (state.State.SummaryStatus == SummaryStatus.Pending) StartSummary();
        else await FinishAsync();
    }

    private async Task StoreEndAsync()
    {
        var call = state.State;
        StopWaiting();
        await ChangeAsync();
        services.Metrics.Ended(call.EndReason!.Value, call.Ended - call.Joined);
        services.LiveEvents.PublisherOf(CallId).Ended(call.EndReason.Value);
        LogEnded(CallId, call.EndReason.Value);
        DelayDeactivation(TimeSpan.FromTicks(-1));
    }

    /// <summary>Nothing is left to do but what the call's retention asks for. The watch goes last: until then it would repeat this.</summary>
    private async Task FinishAsync()
    {
        if (state.State.Settings!.RetentionPolicy == "auto_delete") _ = this.AsReference<ICallGrain>().DeleteAsync();
        else await StopWatchAsync();
    }

    private async Task EndConversationAsync(ILiveCall conversation)
    {
        using var timeout = new CancellationTokenSource(EndTimeout, clock);
        try
        {
            await conversation.EndAsync(EndReason.Hangup, timeout.Token);
            // Its end is stored a moment later, and is what the minutes of the deleted call are counted by.
            if (state.State.IsLive) await _told.Task.WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            LogStillLive(CallId);
        }
    }

    private void RequireCall()
    {
        if (state.RecordExists) return;
        DeactivateOnIdle();
        throw new PlatformException(ErrorCode.CallNotFound, $"Call '{CallId}' was not found.");
    }

    private async Task ChangeAsync()
    {
        await _changing.WaitAsync();
        try
        {
            await SaveAsync(state.WriteStateAsync);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>After a failure nobody knows which state is stored: the activation gives way to one that reads it.</summary>
    private async Task SaveAsync(Func<Task> save)
    {
        try
        {
            var milestones = state.State.Milestones;
            await save();
            state.State.Milestones &= ~milestones;
            if (milestones != CallMilestones.None) services.Deliveries.Raise();
        }
        catch
        {
            DeactivateOnIdle();
            throw;
        }
    }

    private async Task StopWatchAsync()
    {
        if (await this.GetReminder(Watch) is { } reminder) await this.UnregisterReminder(reminder);
    }

    private void WriteEvent(Severity severity, string type, string text)
    {
        var call = state.State;
        var time = call.Ended - call.Joined ?? TimeSpan.Zero;
        services.Journal.Write(call.Generation, new CallEvent(CallId, call.Stages[^1].CallStageId, time, severity, type, text, null, time));
    }

    [LoggerMessage(1001, LogLevel.Information, "Call {CallId} ended: {Reason}")]
    private partial void LogEnded(string callId, EndReason reason);

    [LoggerMessage(1003, LogLevel.Information, "Call {CallId} was deleted: {Reason}")]
    private partial void LogDeleted(string callId, string reason);

    [LoggerMessage(1004, LogLevel.Warning, "Call {CallId} is deleted although its conversation did not end in time")]
    private partial void LogStillLive(string callId);
}
