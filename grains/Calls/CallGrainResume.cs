using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>What becomes of a joined call whose conversation is lost.</summary>
internal sealed partial class CallGrain
{
    /// <summary>How long no conversation is to be found before it counts as lost: longer than hosts need to renew their leases.</summary>
    private static readonly TimeSpan MissingPatience = TimeSpan.FromSeconds(5);
    private bool _isWaitingForReturn;
    private long? _missingSince;

    public async Task<bool> HoldAsync(int generation, string host)
    {
        RequireCall();
        if (!state.State.IsLive || generation < state.State.Generation) return false;
        var isHere = services.LiveCalls.TryGet(CallId, out _);
        if (host == services.Host.Id && !isHere) return true;       // it has just ended, and says so itself
        if (state.State.TryHold(host))
        {
            StopWaiting();
            await ChangeAsync();
        }
        if (!isHere) DeactivateOnIdle();       // so that the grain comes to its conversation
        return true;
    }

    public async Task TakeUpAsync()
    {
        RequireCall();
        await ResumeAsync(isNew: false);
    }

    /// <summary>
    /// Looks twice, some time apart: between a join or an end and the conversation's own word of it there is a moment without it, and after an outage of the
    /// database all leases are over until they are renewed.
    /// </summary>
    private async Task LookForConversationAsync(DateTimeOffset joined)
    {
        if (services.LiveCalls.TryGet(CallId, out _))
        {
            _missingSince = null;
            DelayDeactivation(state.State.Settings!.MaxDuration + WatchPeriod);
            return;
        }
        var isElsewhere = state.State.Host != services.Host.Id;
        if (isElsewhere && await services.Host.IsAliveAsync(state.State.Host, _deactivating.Token))
        {
            _missingSince = null;
            return;
        }
        _missingSince ??= clock.GetTimestamp();
        if (!(isElsewhere && services.Host.IsAlone) && clock.GetElapsedTime(_missingSince.Value) < MissingPatience)
        {
            _waitTimer?.Dispose();
            _waitTimer = this.RegisterGrainTimer(TakeUpAsync, MissingPatience, Timeout.InfiniteTimeSpan);
            return;
        }
        LogOrphaned(CallId);
        await InterruptAsync(Earlier(joined + await services.Remains.LifetimeAsync(state.State, _deactivating.Token), clock.GetUtcNow()));
    }

    /// <summary>For a client at the door: one look must do, since it would not be here if it had a connection.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.SiloUnavailable"/>: the conversation may be alive elsewhere, or its silo dead but its lease not over.</exception>
    private async Task RequireNoConversationAsync()
    {
        if (!state.State.IsLive || state.State.Interrupted is not null || state.State.Host == services.Host.Id) return;
        if (await services.Host.IsAliveAsync(state.State.Host, _deactivating.Token))
            throw new PlatformException(ErrorCode.SiloUnavailable, "The call may still be live on another server.") { RetryAfter = TimeSpan.FromSeconds(1) };
        state.State.TryInterrupt(clock.GetUtcNow());
    }

    /// <summary>The conversation is lost: its client may come back.</summary>
    private async Task InterruptAsync(DateTimeOffset when)
    {
        if (!state.State.TryInterrupt(when)) return;
        await ChangeAsync();
        LogInterrupted(CallId, services.Resume.Grace);
        if (services.Admission.IsOpen) WaitForReturn();
        else DeactivateOnIdle();        // to where its client can join
    }

    /// <summary>The whole grace from now on, also on a silo that took the grain over: the clocks of two silos may differ.</summary>
    private void WaitForReturn()
    {
        if (_isWaitingForReturn) return;
        _isWaitingForReturn = true;
        _waitTimer?.Dispose();
        _waitTimer = this.RegisterGrainTimer(AbandonAsync, services.Resume.Grace, Timeout.InfiniteTimeSpan);
        DelayDeactivation(services.Resume.Grace + WatchPeriod);
    }

    private void StopWaiting()
    {
        _waitTimer?.Dispose();
        (_isWaitingForReturn, _missingSince) = (false, null);
    }

    private async Task AbandonAsync()
    {
        StopWaiting();
        if (!state.State.TryAbandon()) return;
        await SettleEndAsync();
        WriteEnded();
    }

    /// <summary>In place of a conversation that could not.</summary>
    private void WriteEnded()
        => WriteEvent(Severity.Warning, "call_ended", $"The call ended: {WireJson.NameOf(state.State.EndReason ?? EndReason.ConnectionError)}. Its connection or its server was lost, and nobody came back within {services.Resume.Grace.TotalSeconds:0.#} s.");

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    [LoggerMessage(1002, LogLevel.Warning, "Call {CallId} was joined, but its conversation is gone: the silo that ran it has stopped")]
    private partial void LogOrphaned(string callId);

    [LoggerMessage(1005, LogLevel.Information, "Call {CallId} is interrupted; its client has {Grace} to come back")]
    private partial void LogInterrupted(string callId, TimeSpan grace);
}
