using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Silo.WebSockets;

/// <summary>Lets a client into its call, also one that comes back before this silo has noticed that its connection is gone.</summary>
internal sealed class CallEntrance(IGrainFactory grains, LiveCalls calls, TimeProvider clock)
{
    /// <summary>A broken connection is noticed and its end stored in much less; a second client waits as long to be refused.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <exception cref="PlatformException">As <see cref="ICallGrain.JoinAsync"/>.</exception>
    public async Task<CallSnapshot> JoinAsync(string callId, string token, string? clientVersion, CancellationToken cancellationToken)
    {
        var grain = grains.GetGrain<ICallGrain>(callId);
        try
        {
            return await grain.JoinAsync(token, clientVersion);
        }
        catch (PlatformException used) when (used.Code == ErrorCode.JoinExpired && calls.TryGet(callId, out _))
        {
            if (!await IsOverAsync(callId, cancellationToken)) throw;
        }
        return await grain.JoinAsync(token, clientVersion);
    }

    private async Task<bool> IsOverAsync(string callId, CancellationToken cancellationToken)
    {
        for (var since = clock.GetTimestamp(); calls.TryGet(callId, out _); await Task.Delay(Look, clock, cancellationToken))
        {
            if (clock.GetElapsedTime(since) > Patience) return false;
        }
        return true;
    }
}
