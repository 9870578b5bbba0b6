using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace VoiceGrains.Tests.Shared;

/// <summary>
/// A silo with the toy grains (<c>tests/ClusterHost</c>, built beside this program) in a process of its own, to be asked, killed, stopped and
/// woken. Killed with this process at the latest.
/// </summary>
internal sealed class ClusterHostProcess : IAsyncDisposable
{
    private const int SigKill = 9, SigCont = 18, SigStop = 19;
    private const int MostOutputLines = 1_000;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<long> _memory = Channel.CreateUnbounded<long>();
    private readonly Task _reading;

    private ClusterHostProcess(Process process)
    {
        _process = process;
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>Its silo id when it started.</summary>
    public string Id => _ready.Task.Result;

    public int ProcessId => _process.Id;

    /// <summary>CPU time of all its threads so far.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The lines that it wrote, its log among them; the first thousand.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return string.Join('\n', _output);
        }
    }

    /// <param name="rabbit">The broker's URI.</param>
    /// <param name="exchange">The cluster's name on it.</param>
    /// <param name="database">Connection string.</param>
    /// <param name="settings">More of them, as <c>--Cluster:Lease=00:00:30</c>.</param>
    /// <exception cref="InvalidOperationException">It ended before it was ready; the message holds what it wrote.</exception>
    public static async Task<ClusterHostProcess> StartAsync(string rabbit, string exchange, string database, IEnumerable<string> settings, CancellationToken cancellationToken)
    {
        var info = new ProcessStartInfo("setpriv",
        [
            "--pdeathsig", "KILL", Path.Combine(AppContext.BaseDirectory, "VoiceGrains.ClusterHost"), $"--Cluster:RabbitMq={rabbit}",
            $"--Cluster:Exchange={exchange}", "--Cluster:Name=process", $"--Database={database}", .. settings,
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var silo = new ClusterHostProcess(await PostgresServer.StartWatchedAsync(info));
        try
        {
            await silo._ready.Task.WaitAsync(StartTimeout, cancellationToken);
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <summary>Bytes of its managed heap after everything unreachable has been collected.</summary>
    public async Task<long> CollectedHeapAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync("memory".AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(AnswerTimeout);
        return await _memory.Reader.ReadAsync(timeout.Token);
    }

    public void Kill() => Signal(SigKill);

    public void Stop() => Signal(SigStop);

    public void Continue() => Signal(SigCont);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            Signal(SigKill);
        await _process.WaitForExitAsync(CancellationToken.None);
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal))
                _ready.TrySetResult(line["ready ".Length..]);
            else if (line.StartsWith("memory ", StringComparison.Ordinal))
                _memory.Writer.TryWrite(long.Parse(line["memory ".Length..], CultureInfo.InvariantCulture));
            else
                Remember(line);
        }
        _ready.TrySetException(new InvalidOperationException($"The silo did not start: {Output}"));
    }

    private void Remember(string line)
    {
        lock (_output)
        {
            if (_output.Count < MostOutputLines)
                _output.Add(line);
        }
    }

    private void Signal(int signal)
    {
        if (kill(_process.Id, signal) != 0)
            throw new InvalidOperationException($"Signal {signal} was not sent to process {_process.Id}: error {Marshal.GetLastPInvokeError()}.");
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int processId, int signal);
}
