using System.Runtime.InteropServices;

namespace VoiceGrains.Silo.Drain;

/// <summary>In place of the host's own console lifetime, which stops at once: SIGTERM, SIGINT and SIGQUIT drain first.</summary>
internal sealed class SignalLifetime(SiloDrain drain) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> registrations = [];

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT])
            registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;      // the process ends when the host has stopped, not here
        drain.RequestStop();
    }
}
