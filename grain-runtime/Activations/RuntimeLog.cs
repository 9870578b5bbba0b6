using Microsoft.Extensions.Logging;
using VoiceGrains.GrainRuntime.Calls;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>Log messages of activations: one logger for all, since they come and go by the thousand.</summary>
internal sealed partial class RuntimeLog(ILogger<RuntimeLog> logger)
{
    [LoggerMessage(1501, LogLevel.Warning, "Grain {Grain} failed to activate")]
    public partial void ActivationFailed(GrainId grain, Exception exception);

    [LoggerMessage(1502, LogLevel.Warning, "Grain {Grain} failed while it was deactivated")]
    public partial void DeactivationFailed(GrainId grain, Exception exception);

    [LoggerMessage(1503, LogLevel.Error, "A timer of grain {Grain} failed; it goes on ticking")]
    public partial void TimerFailed(GrainId grain, Exception exception);

    [LoggerMessage(1508, LogLevel.Error, "The runtime failed around a turn of grain {Grain}")]
    public partial void TurnFailed(GrainId grain, Exception exception);

    [LoggerMessage(1504, LogLevel.Warning, "Request {Request} failed after its caller had stopped waiting")]
    public partial void LateFailure(Invocation request, Exception exception);

    [LoggerMessage(1505, LogLevel.Warning, "Request {Request} timed out")]
    public partial void TimedOut(Invocation request);

    [LoggerMessage(1506, LogLevel.Error, "The watch over grain activations failed; it goes on")]
    public partial void MonitorFailed(Exception exception);

    [LoggerMessage(1507, LogLevel.Warning, "{Count} grains had not deactivated after {Timeout}; the host stops without them")]
    public partial void ShutdownIncomplete(int count, TimeSpan timeout);
}
