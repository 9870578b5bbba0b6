using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Bench.Scenarios;

/// <summary>
/// A silo of this build as a process of its own, with an empty data folder and scripted providers that answer at once: what remains is the server.
/// </summary>
internal sealed partial class BenchServer : IAsyncDisposable
{
    private const int SigTerm = 15;
    private const string Announcement = "VoiceGrains is ready on ";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);
    private readonly string _data = Directory.CreateTempSubdirectory("voicegrains-bench-").FullName;
    private readonly StringBuilder _printed = new();
    private readonly TaskCompletionSource<Uri> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;
    private ServerAddress? _address;

    private BenchServer(IReadOnlyDictionary<string, string> settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "VoiceGrains.Silo.dll"), "--port", "0", "--data", _data])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => OnPrinted(line.Data);
        _process.ErrorDataReceived += (_, line) => OnPrinted(line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new CliException($"The server ended. It printed:\n{Printed}"));
    }

    public int ProcessId => _process.Id;

    public ServerAddress Address => _address ?? throw new InvalidOperationException("The server is not ready.");

    private string Printed
    {
        get
        {
            lock (_printed) return _printed.ToString();
        }
    }

    /// <param name="postgres">Connection string of a PostgreSQL to use; null lets the silo start a private one.</param>
    /// <param name="answer">What the agent always says.</param>
    /// <param name="more">Further settings, as environment variables.</param>
    /// <exception cref="CliException">It did not become ready; the message holds what it printed.</exception>
    public static async Task<BenchServer> StartAsync(string? postgres, string answer, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? more = null)
    {
        var settings = new Dictionary<string, string>
        {
            ["Models__Target"] = "scripted",
            ["Recognizers__Default"] = "scripted",
            ["Voices__Target"] = "scripted",
            ["Providers__scripted__Answer"] = answer,
            ["Providers__scripted__WordsPerMinute"] = "300",
        };
        foreach (var (name, value) in more ?? new Dictionary<string, string>()) settings[name] = value;
        if (postgres is not null) settings["ConnectionStrings__VoiceGrains"] = postgres;
        var server = new BenchServer(settings);
        try
        {
            server._process.Start();
            server._process.BeginOutputReadLine();
            server._process.BeginErrorReadLine();
            var url = await server._ready.Task.WaitAsync(StartLimit, cancellationToken);
            server._address = new ServerAddress(url, await server.ReadKeyAsync(cancellationToken));
            return server;
        }
        catch (Exception failure)
        {
            await server.DisposeAsync();
            throw failure is TimeoutException ? new CliException($"The server was not ready within {StartLimit.TotalSeconds} s. It printed:\n{server.Printed}") : failure;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(StopLimit);
        if (!_process.HasExited)
        {
            _ = Kill(_process.Id, SigTerm);
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited) _process.Kill();
        }
        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>Printed by the first start, kept in the data folder.</summary>
    private async Task<string> ReadKeyAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(_data, "api-key");
        if (!File.Exists(path)) throw new CliException("The database has accounts already, so the server made no key: give --postgres an empty one.", CliException.Usage);
        return (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
    }

    private void OnPrinted(string? line)
    {
        if (line is null) return;
        lock (_printed) _printed.AppendLine(line);
        if (line.StartsWith(Announcement, StringComparison.Ordinal)) _ready.TrySetResult(new Uri(line[Announcement.Length..]));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
