using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>Starts a server again when it has died: soon at first, then ever later while it does not stay alive.</summary>
internal sealed class Supervisor(Action<string> say, TimeProvider clock)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>A life of this length was a healthy one.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(30);

    /// <summary>Watches a server that runs, until cancelled.</summary>
    public async Task WatchAsync(IPrivateServer server, CancellationToken cancellationToken)
    {
        var (pause, began) = (FirstPause, clock.GetTimestamp());
        while (true)
        {
            var exitCode = await server.Exited.WaitAsync(cancellationToken);
            if (clock.GetElapsedTime(began) > Calm)
                pause = FirstPause;
            say($"{server.Name} (process {server.ProcessId}) {Describe(exitCode)}. It is started again in {pause.TotalSeconds:0.#} s.");
            pause = await RestartAsync(server, pause, cancellationToken);
            began = clock.GetTimestamp();
            say($"{server.Name} is back as process {server.ProcessId}.");
        }
    }

    /// <returns>The pause before a next start.</returns>
    private async Task<TimeSpan> RestartAsync(IPrivateServer server, TimeSpan pause, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(pause, clock, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            try
            {
                await server.StartAsync(cancellationToken);
                return pause;
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                say($"{failure.Message}\n{server.Name} is started again in {pause.TotalSeconds:0.#} s.");
            }
        }
    }

    private static string Describe(int exitCode) => exitCode switch
    {
        128 + Native.SigKill => "was killed (SIGKILL)",
        128 + Native.SigTerm => "was ended (SIGTERM)",
        > 128 and < 128 + 65 => $"was ended by signal {exitCode - 128}",
        _ => $"ended with exit code {exitCode}",
    };
}
