using System.Runtime.InteropServices;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>SIGINT, SIGTERM and SIGQUIT, each asked more urgently than the one before.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource[] steps = [new(), new(), new()];
    private readonly List<PosixSignalRegistration> registrations = [];
    private int received;

    public StopSignals()
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT])
            registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
    }

    /// <summary>Stop when the live calls have ended.</summary>
    public CancellationToken Stop => steps[0].Token;

    /// <summary>End the live calls and stop.</summary>
    public CancellationToken Hurry => steps[1].Token;

    /// <summary>Stop at once.</summary>
    public CancellationToken Force => steps[2].Token;

    public void Dispose()
    {
        registrations.ForEach(registration => registration.Dispose());
        Array.ForEach(steps, step => step.Dispose());
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;      // this process ends when its children have
        if (Interlocked.Increment(ref received) is var count && count <= steps.Length)
            _ = steps[count - 1].CancelAsync();
    }
}
