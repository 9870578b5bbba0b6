using Microsoft.Extensions.Options;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Silo.Drain;

/// <summary>
/// The way out: no new calls from the first request to stop on, live calls go on until the last has ended, the time is over or somebody asks again;
/// then the host stops. Safe for concurrent use.
/// </summary>
internal sealed partial class SiloDrain(
    CallAdmission admission, IEnumerable<IClusterMembership> memberships, IOptions<DrainOptions> options, IHostApplicationLifetime lifetime,
    TimeProvider clock, ILogger<SiloDrain> logger) : IDisposable
{
    private static readonly TimeSpan PlacementPatience = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource hurry = new();
    private int requests;

    /// <summary>The first request begins the drain, a later one ends it. Returns at once.</summary>
    public void RequestStop()
    {
        if (Interlocked.Increment(ref requests) > 1)
        {
            hurry.Cancel();
            return;
        }
        CloseAdmission();
        _ = StopWhenEmptyAsync();
    }

    /// <summary>For a host that stops for another reason.</summary>
    public void CloseAdmission() => admission.Close(options.Value.RetryAfter);

    public void Dispose() => hurry.Dispose();

    private async Task StopWhenEmptyAsync()
    {
        var timeout = options.Value.Timeout;
        try
        {
            if (timeout > TimeSpan.Zero && !admission.Empty.IsCompleted)
            {
                LogStarted(admission.Calls, timeout);
                await LeavePlacementAsync();
                await admission.Empty.WaitAsync(timeout, clock, hurry.Token);
            }
            LogStopping(admission.Calls);
        }
        catch (TimeoutException)
        {
            LogTimeout(timeout, admission.Calls);
        }
        catch (OperationCanceledException)
        {
            LogHurried(admission.Calls);
        }
        lifetime.StopApplication();
    }

    /// <summary>Tells the cluster now what it would otherwise learn from refusals: new calls go to other silos.</summary>
    private async Task LeavePlacementAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(hurry.Token);
        foreach (var membership in memberships)     // none or one
        {
            try
            {
                await membership.DrainAsync(patience.Token).WaitAsync(PlacementPatience, clock, hurry.Token);
            }
            catch (Exception failure) when (!hurry.IsCancellationRequested)
            {
                await patience.CancelAsync();
                LogPlacementFailed(failure);
            }
        }
    }

    [LoggerMessage(9101, LogLevel.Information, "Draining: no new calls; {Calls} live calls have up to {Timeout} to end. A second signal ends them now")]
    private partial void LogStarted(int calls, TimeSpan timeout);

    [LoggerMessage(9102, LogLevel.Information, "Stopping with {Calls} live calls")]
    private partial void LogStopping(int calls);

    [LoggerMessage(9103, LogLevel.Warning, "Drain:Timeout of {Timeout} is over: {Calls} live calls are ended")]
    private partial void LogTimeout(TimeSpan timeout, int calls);

    [LoggerMessage(9104, LogLevel.Warning, "A second signal: {Calls} live calls are ended")]
    private partial void LogHurried(int calls);

    [LoggerMessage(9105, LogLevel.Warning, "The cluster could not be told that this silo drains; others learn of it when they are refused")]
    private partial void LogPlacementFailed(Exception exception);
}
