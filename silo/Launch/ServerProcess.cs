using System.Diagnostics;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>A program to run as a child of this process.</summary>
internal sealed record ServerCommand(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>The user to run it as; null for the user of this process.</summary>
    public string? RunAs { get; init; }

    /// <summary>What the kernel sends it should this process die: a signal's name as <c>setpriv</c> takes it.</summary>
    public string DeathSignal { get; init; } = "KILL";

    public string WorkingDirectory { get; init; } = "/";

    /// <summary>All that it finds in its environment beside <c>PATH</c> and <c>LC_ALL</c>: this process's own holds secrets and settings for others.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>The file to which everything it prints is added; unused where <see cref="OnLine"/> is set.</summary>
    public string Log { get; init; } = "/dev/null";

    /// <summary>Takes each line that it prints, and whether it was an error's; called concurrently.</summary>
    public Action<string, bool>? OnLine { get; init; }
}

/// <summary>
/// A server as a child of this process: in a session of its own so that Ctrl-C at the terminal reaches only this process, and signalled by the kernel should
/// this process die.
/// </summary>
internal sealed class ServerProcess
{
    private readonly TaskCompletionSource<int> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess()
    {
    }

    /// <summary>Completes with the exit code; 128 and the signal's number where a signal ended it.</summary>
    public Task<int> Exited => exited.Task;

    public int Id { get; private set; }

    /// <exception cref="LaunchException">It cannot be started.</exception>
    public static async Task<ServerProcess> StartAsync(ServerCommand command)
    {
        var process = new ServerProcess();
        // The kernel's parent-death signal follows the *thread* that started the child, so that thread must live as long as the child: not one of the pool.
        new Thread(() => process.Keep(command)) { IsBackground = true, Name = $"keeper of {Path.GetFileName(command.Program)}" }.Start();
        try
        {
            process.Id = await process.started.Task;
            return process;
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw new LaunchException($"{command.Program} cannot be started: {failure.Message}", inner: failure);
        }
    }

    /// <summary>Sends a signal; no error when it is gone.</summary>
    public void Signal(int signal)
    {
        if (!exited.Task.IsCompleted)
            Native.Signal(Id, signal);
    }

    /// <summary>Sends a signal and waits; false when it still runs after the limit.</summary>
    public async Task<bool> StopAsync(int signal, TimeSpan limit, TimeProvider clock)
    {
        Signal(signal);
        try
        {
            await Exited.WaitAsync(limit, clock);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Keep(ServerCommand command)
    {
        try
        {
            using var process = new Process { StartInfo = StartInfo(command) };
            process.OutputDataReceived += (_, line) => Report(line.Data, isError: false);
            process.ErrorDataReceived += (_, line) => Report(line.Data, isError: true);
            process.Start();
            if (command.OnLine is not null)
            {
                process.BeginOutputReadLine();
                process.BeginErrorReadLine();
            }
            started.SetResult(process.Id);
            process.WaitForExit();
            exited.SetResult(process.ExitCode);
        }
        catch (Exception failure) when (!started.Task.IsCompleted)
        {
            started.SetException(failure);
        }

        void Report(string? line, bool isError)
        {
            if (line is not null)
                command.OnLine?.Invoke(line, isError);
        }
    }

    /// <summary>Each program of the chain replaces the one before it, so the process id is the server's own.</summary>
    private static ProcessStartInfo StartInfo(ServerCommand command)
    {
        List<string> chain = ["setsid", "setpriv", "--pdeathsig", command.DeathSignal];
        if (command.RunAs is { } user)
            chain.AddRange(["--reuid", user, "--regid", user, "--init-groups"]);
        chain.AddRange(["--", command.Program, .. command.Arguments]);

        var isHeard = command.OnLine is not null;
        var startInfo = isHeard
            ? new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" </dev/null", "sh", .. chain])
            : new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", command.Log, .. chain]);
        startInfo.WorkingDirectory = command.WorkingDirectory;
        startInfo.RedirectStandardOutput = startInfo.RedirectStandardError = isHeard;
        startInfo.Environment.Clear();
        startInfo.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        startInfo.Environment["LC_ALL"] = "C";
        foreach (var (name, value) in command.Environment)
            startInfo.Environment[name] = value;
        return startInfo;
    }
}
