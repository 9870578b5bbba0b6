using System.CommandLine;
using System.Diagnostics;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Calls;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Bench.Scenarios;

/// <summary>What every scenario shares: one server, a warm-up, then the same callers in growing numbers.</summary>
internal sealed class Scenario
{
    /// <summary>Callers whose figures are thrown away: they bring the server's and the client's hot code to its optimized form.</summary>
    private const int WarmUpCalls = 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15);

    public Scenario(int[] calls, double seconds)
    {
        Calls = NumberOption.Wholes("--calls", "Numbers of calls at the same time, one round each.", 1, 10_000, calls);
        Seconds = NumberOption.Real("--seconds", "How long each round measures.", 1, 86_400, seconds);
    }

    public Option<int[]> Calls { get; }

    public Option<double?> Seconds { get; }

    public Option<string?> Postgres { get; } = new("--postgres") { Description = "Connection string of an empty PostgreSQL database; default: the server starts a private one." };

    /// <summary>Machine and load, so that a table of figures says what it is worth.</summary>
    public static string Machine()
        => $"{DateTime.UtcNow:yyyy-MM-dd HH:mm}Z, {Environment.ProcessorCount} cores, load average {string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3])}";

    /// <summary>Runs one round for each number of calls until <paramref name="onRound"/> says that it is enough.</summary>
    /// <param name="answer">What the agent always says, five words a second.</param>
    /// <param name="pause">Silence after each "go forward ten meters" (2.6 s); longer than the answer, or callers would interrupt it.</param>
    /// <param name="onRound">Takes a round's figures and the CPU time of this process in cores; false stops.</param>
    public async Task RunAsync(ParseResult given, string answer, TimeSpan pause, Func<LoadReport, double, bool> onRound, CancellationToken cancellationToken)
    {
        Console.WriteLine(Machine());
        await using var server = await BenchServer.StartAsync(given.GetValue(Postgres), answer, cancellationToken);
        await RoundAsync(server, WarmUpCalls, WarmUp, pause, cancellationToken);
        foreach (var calls in given.GetValue(Calls)!)
        {
            var clientCpu = Environment.CpuUsage.TotalTime;
            var watch = Stopwatch.StartNew();
            var report = await RoundAsync(server, calls, TimeSpan.FromSeconds(given.GetRequiredValue(Seconds)!.Value), pause, cancellationToken);
            if (!onRound(report, (Environment.CpuUsage.TotalTime - clientCpu) / watch.Elapsed)) break;
        }
        Console.WriteLine(Machine());
    }

    private static Task<LoadReport> RoundAsync(BenchServer server, int calls, TimeSpan duration, TimeSpan pause, CancellationToken cancellationToken)
        => new LoadSession(new LoadOptions
        {
            Server = server.Address,
            Call = new CallRequest { AgentSpeaksFirst = false },
            File = File.Exists(LoadCommand.Speech) ? LoadCommand.Speech : throw new CliException($"{LoadCommand.Speech} is missing: install pocketsphinx-testdata.", CliException.Usage),
            Calls = calls,
            Duration = duration,
            RampPerSecond = 25,
            Pause = pause,
            ProcessId = server.ProcessId,
        }).RunAsync(cancellationToken);
}
