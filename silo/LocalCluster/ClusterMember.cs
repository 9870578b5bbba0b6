using System.Globalization;
using VoiceGrains.Hosting.Launch;
using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>One silo or gateway as a process: on the same port and in the same folder (<c>{data}/cluster/{name}</c>) in each of its lives.</summary>
internal sealed class ClusterMember(string role, string name, string program, LaunchOptions options, MemberSettings settings, Action<string> say, TimeProvider clock)
    : IPrivateServer, IDisposable
{
    private const string Announcement = "VoiceGrains is ready on ";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastStopLimit = TimeSpan.FromSeconds(2);
    private readonly MemberLog log = new(Path.Combine(options.Data, "log"), name, say, clock);
    private ServerProcess? process;

    public string Role => role;

    public string Name => name;

    public string Url => options.Url;

    public string Log => log.Path;

    public int ProcessId => process?.Id ?? 0;

    public Task<int> Exited => process?.Exited ?? Task.FromResult(0);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        PrepareFolder();
        log.StartAnew();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process = await ServerProcess.StartAsync(new ServerCommand(Dotnet(),
            [program, "--port", options.Port.ToString(CultureInfo.InvariantCulture), "--bind", options.Bind, "--data", options.Data])
        {
            Environment = settings.Variables,
            WorkingDirectory = Environment.CurrentDirectory,
            OnLine = (line, isError) =>
            {
                log.Add(line, isError);
                if (line.StartsWith(Announcement, StringComparison.Ordinal))
                    ready.TrySetResult();
            },
        });
        try
        {
            await Task.WhenAny(ready.Task, process.Exited).WaitAsync(StartLimit, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            await process.StopAsync(Native.SigKill, LastStopLimit, clock);
            throw new LaunchException($"{name} was not ready within {StartLimit.TotalSeconds:0} s. Its log, {Log}, ends:\n{LogTail.Of(Log)}");
        }
        if (!ready.Task.IsCompleted)
            throw new LaunchException($"{name} ended at its start. Its log, {Log}, ends:\n{LogTail.Of(Log)}");
    }

    public Task StopAsync() => StopAsync(StopLimit, CancellationToken.None, CancellationToken.None);

    /// <summary>Asks it to end, asks again on <paramref name="hurry"/>, and kills it on <paramref name="force"/> or when the limit is over.</summary>
    public async Task StopAsync(TimeSpan limit, CancellationToken hurry, CancellationToken force)
    {
        if (process is not { } running)
            return;
        running.Signal(Native.SigTerm);
        await using var again = hurry.Register(() => running.Signal(Native.SigTerm));
        await using var killed = force.Register(() => running.Signal(Native.SigKill));
        try
        {
            await running.Exited.WaitAsync(limit, clock);
        }
        catch (TimeoutException)
        {
            say($"{name} (process {running.Id}) did not stop within {limit.TotalSeconds:0} s and is killed.");
            await running.StopAsync(Native.SigKill, LastStopLimit, clock);
        }
    }

    public void Dispose() => log.Dispose();

    /// <summary>The key of secrets at rest and the administrator's token are the cluster's, so they are links.</summary>
    private void PrepareFolder()
    {
        Directory.CreateDirectory(options.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var shared in (ReadOnlySpan<string>)["secret-key", "admin-token"])
        {
            var link = Path.Combine(options.Data, shared);
            File.Delete(link);
            File.CreateSymbolicLink(link, "../../" + shared);
        }
    }

    private static string Dotnet() => Environment.ProcessPath is { } own && Path.GetFileName(own) == "dotnet" ? own : "dotnet";
}
