using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Administration;

/// <summary>Ends all calls of an account: live ones by hanging up, others by ending their wait.</summary>
internal sealed partial class CallEnding(AccountAdministration accounts, IGrainFactory grains, ILogger<CallEnding> logger)
{
    private const int AtOnce = 16;

    /// <summary>How many were told to end. One that cannot be reached is logged and left.</summary>
    public async Task<int> EndAsync(Guid accountId, CancellationToken cancellationToken)
    {
        var told = 0;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(await accounts.ListUnendedCallsAsync(accountId, cancellationToken), parallel, async (callId, token) =>
        {
            if (await TryEndAsync(callId, token)) Interlocked.Increment(ref told);
        });
        return told;
    }

    private async Task<bool> TryEndAsync(string callId, CancellationToken cancellationToken)
    {
        var call = grains.GetGrain<ICallGrain>(callId);
        try
        {
            try
            {
                await call.SendDataMessageAsync(new JsonObject { ["type"] = "hang_up" }).WaitAsync(cancellationToken);
            }
            catch (PlatformException idle) when (idle.Code == ErrorCode.CallNotLive)
            {
                await call.EndAsync(new CallOutcome(EndReason.Hangup)).WaitAsync(cancellationToken);
            }
            return true;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotEnded(callId, failure);
            return false;
        }
    }

    [LoggerMessage(2033, LogLevel.Warning, "Call {CallId} of a disabled account could not be ended")]
    private partial void LogNotEnded(string callId, Exception exception);
}
