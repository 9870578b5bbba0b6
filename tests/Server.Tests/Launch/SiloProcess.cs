using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace VoiceGrains.Server.Tests.Launch;

/// <summary>The built silo as a process of its own, on a free port, started and stopped as a person would.</summary>
internal sealed partial class SiloProcess : IAsyncDisposable
{
    public const int SigInt = 2;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;
    private const string SiloProgram = "VoiceGrains.Silo.dll";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(180);

    /// <summary>A start keeps a core busy for seconds: more of them at once would starve the calls of other tests.</summary>
    private static readonly SemaphoreSlim Starts = new(2);
    private readonly Process process;
    private readonly StringBuilder printed = new();
    private readonly TaskCompletionSource<Uri> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SiloProcess(Process process, string data) => (this.process, Data) = (process, data);

    public string Data { get; }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>Everything it has printed, both streams.</summary>
    public string Printed
    {
        get
        {
            lock (printed)
                return printed.ToString();
        }
    }

    /// <summary>Starts on a free port and waits until it says that it is ready.</summary>
    /// <param name="settings">Environment variables, such as <c>Drain__Timeout</c>.</param>
    public static Task<SiloProcess> StartReadyAsync(string data, params (string Name, string Value)[] settings)
        => StartReadyAsync(SiloProgram, settings, "--port", "0", "--data", data);

    /// <param name="program">A program of the platform; all announce themselves alike.</param>
    public static async Task<SiloProcess> StartReadyAsync(string program, (string Name, string Value)[] settings, params string[] arguments)
    {
        await Starts.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            return await StartAtOnceAsync(program, settings, arguments);
        }
        finally
        {
            Starts.Release();
        }
    }

    private static async Task<SiloProcess> StartAtOnceAsync(string program, (string Name, string Value)[] settings, string[] arguments)
    {
        var silo = StartProgram(program, settings, arguments);
        try
        {
            silo.Url = await silo.ready.Task.WaitAsync(StartLimit, TestContext.Current.CancellationToken);
            return silo;
        }
        catch (TimeoutException)
        {
            await silo.DisposeAsync();
            throw new TimeoutException($"The silo was not ready. It printed:\n{silo.Printed}");
        }
    }

    public static SiloProcess Start(params string[] arguments) => Start([], arguments);

    public static SiloProcess Start((string Name, string Value)[] settings, params string[] arguments) => StartProgram(SiloProgram, settings, arguments);

    private static SiloProcess StartProgram(string program, (string Name, string Value)[] settings, string[] arguments)
    {
        var startInfo = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),      // nothing may depend on where it was started
        };
        foreach (var name in startInfo.Environment.Keys.Where(name => name.StartsWith("VOICEGRAINS_", StringComparison.Ordinal)).ToList())
            startInfo.Environment.Remove(name);
        startInfo.Environment["Conversation__RecognitionTimeout"] = "00:01:00";      // a busy machine recognizes slowly
        startInfo.Environment["Providers__pocketsphinx__FinishTimeout"] = "00:01:00";
        startInfo.Environment["Providers__pocketsphinx__WarmDecoders"] = "0";      // half a second of a core each, at every start, and few are spoken to
        foreach (var (name, value) in settings)
            startInfo.Environment[name] = value;
        var process = new Process { StartInfo = startInfo, EnableRaisingEvents = true };
        var silo = new SiloProcess(process, arguments is [.., "--data", var data] ? data : "");
        process.OutputDataReceived += (_, line) => silo.OnPrinted(line.Data);
        process.ErrorDataReceived += (_, line) => silo.OnPrinted(line.Data);
        process.Exited += (_, _) => silo.ready.TrySetException(new InvalidOperationException($"The silo ended. It printed:\n{silo.Printed}"));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return silo;
    }

    public Uri Url { get; private set; } = new("http://127.0.0.1");

    /// <summary>Waits for what it prints after it said that it is ready.</summary>
    /// <exception cref="TimeoutException">It was not printed in time.</exception>
    public async Task UntilPrintedAsync(string text, TimeSpan? limit = null)
    {
        for (var deadline = Environment.TickCount64 + (limit?.TotalMilliseconds ?? 30_000); !Printed.Contains(text, StringComparison.Ordinal);)
        {
            if (Environment.TickCount64 > deadline)
                throw new TimeoutException($"'{text}' was not printed, but:\n{Printed}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The process id of the private PostgreSQL, from its own file.</summary>
    public int PostgresId => int.Parse(File.ReadLines(Path.Combine(Data, "postgres/data/postmaster.pid")).First(), CultureInfo.InvariantCulture);

    public void Signal(int signal) => Assert.Equal(0, Kill(process.Id, signal));

    public void KillHard() => process.Kill();

    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public async Task<int> ExitAsync(TimeSpan limit)
    {
        try
        {
            using var late = new CancellationTokenSource(limit);
            await process.WaitForExitAsync(late.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The silo did not end within {limit.TotalSeconds} s. It printed:\n{Printed}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            _ = Kill(process.Id, SigTerm);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited)
                process.Kill();
        }
        process.Dispose();
    }

    private void OnPrinted(string? line)
    {
        if (line is null)
            return;
        lock (printed)
            printed.AppendLine(line);
        const string announcement = "VoiceGrains is ready on ";
        if (line.StartsWith(announcement, StringComparison.Ordinal))
            ready.TrySetResult(new Uri(line[announcement.Length..]));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
