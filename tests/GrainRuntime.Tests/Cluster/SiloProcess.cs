using System.Diagnostics;
using System.Runtime.InteropServices;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>A silo in a process of its own, to be killed, stopped and woken. Killed with the test process at the latest.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private const int SigKill = 9, SigCont = 18, SigStop = 19;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private SiloProcess(Process process, string id) => (_process, Id) = (process, id);

    /// <summary>Its silo id when it started.</summary>
    public string Id { get; }

    public static async Task<SiloProcess> StartAsync(ClusterFixture cluster, params string[] settings)
    {
        var info = new ProcessStartInfo("setpriv",
        [
            "--pdeathsig", "KILL", Path.Combine(AppContext.BaseDirectory, "VoiceGrains.ClusterHost"), $"--Cluster:RabbitMq={cluster.Rabbit.Uri}",
            $"--Cluster:Exchange={cluster.Exchange}", "--Cluster:Name=process", $"--Database={cluster.Database.ConnectionString}", .. settings,
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = await PostgresServer.StartWatchedAsync(info);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(RuntimeHost.Cancel);
        timeout.CancelAfter(StartTimeout);
        var output = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);     // so that it never waits for us
                return new(process, line["ready ".Length..]);
            }
            output.Add(line);
        }
        throw new InvalidOperationException($"The silo did not start: {string.Join('\n', output)}");
    }

    public void Kill() => Signal(SigKill);

    public void Stop() => Signal(SigStop);

    public void Continue() => Signal(SigCont);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            Signal(SigKill);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private void Signal(int signal) => Assert.Equal(0, kill(_process.Id, signal));

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int processId, int signal);
}
