using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>The synthesizer's end of one worker process. Used by one engine thread, which may block on the pipes.</summary>
internal sealed class EspeakClient(EspeakOptions options) : IPhraseEngine
{
    private Process? worker;
    private BinaryWriter? requests;
    private BinaryReader? answers;

    /// <summary>The worker's process id; null while there is none.</summary>
    internal int? WorkerId => worker?.Id;

    public void Speak(PhraseJob job)
    {
        try
        {
            Ask(job);
        }
        catch (IOException)   // the worker died of this phrase, or of an earlier one: a fresh one may well speak it
        {
            Stop();
            try
            {
                Ask(job);
            }
            catch (IOException exception)
            {
                Stop();
                throw new ProviderException(EspeakSynthesizer.ProviderName, ProviderFault.ServerError, "espeak-ng crashed or hung over a phrase, twice.", exception);
            }
        }
    }

    public void Dispose() => Stop();

    private void Ask(PhraseJob job)
    {
        if (worker is null)
            Start();
        var asked = worker!;
        using var watchdog = new Timer(_ => Kill(asked), null, options.PhraseTimeout, Timeout.InfiniteTimeSpan);
        EspeakWire.WriteRequest(requests!, job, options);
        EspeakWire.ReadAnswer(answers!, job);
    }

    private void Start()
    {
        var start = new ProcessStartInfo(DotnetPath()) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("exec");
        if (Assembly.GetEntryAssembly()?.GetName().Name is { } host && Path.Combine(AppContext.BaseDirectory, host + ".runtimeconfig.json") is var runtime && File.Exists(runtime))
        {
            start.ArgumentList.Add("--runtimeconfig");
            start.ArgumentList.Add(runtime);
        }
        start.ArgumentList.Add(typeof(EspeakClient).Assembly.Location);
        start.ArgumentList.Add(EspeakWorker.Argument);
        foreach (var name in start.Environment.Keys.Where(name => name is not ("PATH" or "HOME" or "TMPDIR" or "DOTNET_ROOT")).ToArray())
            start.Environment.Remove(name);   // what may hold keys has no business in a process that reads tenants' texts with unsafe code
        try
        {
            worker = Process.Start(start) ?? throw new InvalidOperationException("no process");
        }
        catch (Exception exception) when (exception is not ProviderException)
        {
            throw new ProviderException(EspeakSynthesizer.ProviderName, ProviderFault.Unavailable, "The espeak-ng worker could not be started: " + exception.Message, exception);
        }
        requests = new(new BufferedStream(worker.StandardInput.BaseStream));
        answers = new(new BufferedStream(worker.StandardOutput.BaseStream, 64 * 1024));
    }

    private void Stop()
    {
        if (worker is not { } old)
            return;
        (worker, requests, answers) = (null, null, null);
        Kill(old);
        old.Dispose();   // closes the pipes
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended by itself.
        }
    }

    /// <summary>The dotnet command that runs this process, found from its runtime: shared/Microsoft.NETCore.App/10.0.0/ lies three levels below it.</summary>
    private static string DotnetPath()
    {
        var path = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        return File.Exists(path) ? path : "dotnet";
    }
}
