using System.Diagnostics;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// A PostgreSQL program as a child of this process: as the cluster's user, in a session of its own so that Ctrl-C at the terminal reaches only the silo, and
/// asked by the kernel to shut down (SIGINT) should the silo die.
/// </summary>
internal sealed class PostgresProcess
{
    private readonly TaskCompletionSource<int> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PostgresProcess()
    {
    }

    /// <summary>Completes with the exit code.</summary>
    public Task<int> Exited => exited.Task;

    public int Id { get; private set; }

    /// <summary>Starts a program of the cluster's PostgreSQL version; what it prints is added to the server log.</summary>
    /// <exception cref="LaunchException">It cannot be started.</exception>
    public static async Task<PostgresProcess> StartAsync(PostgresHome home, string program, params string[] arguments)
    {
        var process = new PostgresProcess();
        // The kernel's parent-death signal follows the *thread* that started the child, so that thread must live as long as the child: not one of the pool.
        new Thread(() => process.Keep(StartInfo(home, program, arguments))) { IsBackground = true, Name = $"keeper of {program}" }.Start();
        try
        {
            process.Id = await process.started.Task;
            return process;
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw new LaunchException($"{program} cannot be started: {failure.Message}", inner: failure);
        }
    }

    /// <summary>Sends a signal; no error when it is gone.</summary>
    public void Signal(int signal)
    {
        if (!exited.Task.IsCompleted)
            Native.Signal(Id, signal);
    }

    private void Keep(ProcessStartInfo startInfo)
    {
        try
        {
            using var process = Process.Start(startInfo)!;
            started.SetResult(process.Id);
            process.WaitForExit();
            exited.SetResult(process.ExitCode);
        }
        catch (Exception failure) when (!started.Task.IsCompleted)
        {
            started.SetException(failure);
        }
    }

    /// <summary>Each program of the chain replaces the one before it, so the process id is PostgreSQL's own.</summary>
    private static ProcessStartInfo StartInfo(PostgresHome home, string program, string[] arguments)
    {
        List<string> chain = ["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", home.Log, "setsid", "setpriv", "--pdeathsig", "INT"];
        if (home.RunAs is { } user)
            chain.AddRange(["--reuid", user, "--regid", user, "--init-groups"]);
        chain.AddRange(["--", Path.Combine(home.Programs, program), .. arguments]);

        var startInfo = new ProcessStartInfo("/bin/sh", chain) { WorkingDirectory = home.Root };
        startInfo.Environment.Clear();      // the silo's environment holds secrets, and PG* variables would override what is set here
        startInfo.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        startInfo.Environment["LC_ALL"] = "C";
        return startInfo;
    }
}
