using Microsoft.Extensions.Options;
using VoiceGrains.GrainRuntime.Calls;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>
/// Looks over all activations now and then for calls that took too long, circles of waiting calls and idle grains. One sweep costs a
/// call nothing, where a timer per call would.
/// </summary>
internal sealed class ActivationMonitor(GrainCatalog catalog, IOptions<GrainRuntimeOptions> options, TimeProvider clock, RuntimeLog log) : IDisposable
{
    private readonly Lock _sweeping = new();
    private ITimer? _timer;

    public void Start()
    {
        var period = options.Value.MonitorPeriod;
        using (ExecutionContext.SuppressFlow())
            _timer = clock.CreateTimer(static self => ((ActivationMonitor)self!).Sweep(), this, period, period);
    }

    public void Dispose() => _timer?.Dispose();

    private void Sweep()
    {
        if (!_sweeping.TryEnter())
            return;     // the last one is still at it
        try
        {
            List<Invocation> running = [];
            List<WaitingCall> waiting = [];
            foreach (var activation in catalog.Activations)
            {
                activation.CollectIfIdle(options.Value.CollectionAge);
                activation.AddRequests(running, waiting);
            }
            FailTimedOut(running.Concat(waiting.Select(call => call.Request)));
            if (waiting.Exists(call => clock.GetElapsedTime(call.Request.Started) >= options.Value.DeadlockDelay))
                FailDeadlocked(running, waiting);
        }
        catch (Exception exception)
        {
            log.MonitorFailed(exception);
        }
        finally
        {
            _sweeping.Exit();
        }
    }

    private void FailTimedOut(IEnumerable<Invocation> requests)
    {
        var timeout = options.Value.ResponseTimeout;
        foreach (var request in requests.Where(request => clock.GetElapsedTime(request.Started) >= timeout))
        {
            if (request.Fail(new TimeoutException($"Request {request} did not complete within {timeout}."), "timeout"))
                log.TimedOut(request);
        }
    }

    private void FailDeadlocked(List<Invocation> running, List<WaitingCall> waiting)
    {
        var circle = CallCircle.Find(
            waiting.Where(call => clock.GetElapsedTime(call.Request.Started) >= options.Value.DeadlockDelay),
            running);
        // Failing one call breaks its circle; another circle is found by the next sweep.
        if (circle is [var first, ..])
            first.Fail(new CallChainDeadlockException($"Deadlock: {string.Join(" waits for ", circle.Append(first))}."), "deadlock");
    }
}
