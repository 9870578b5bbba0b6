using System.Diagnostics.Metrics;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Silo.Drain;

/// <summary>Meter <c>VoiceGrains.Silo</c>.</summary>
internal sealed class DrainMetrics : IDisposable
{
    private readonly Meter meter;

    public DrainMetrics(IMeterFactory meters, CallAdmission admission)
    {
        meter = meters.Create("VoiceGrains.Silo");
        meter.CreateObservableGauge("voicegrains.draining", () => admission.IsOpen ? 0 : 1, description: "1 while no new calls are taken.");
    }

    public void Dispose() => meter.Dispose();
}
