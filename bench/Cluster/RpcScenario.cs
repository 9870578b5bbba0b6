using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;
using VoiceGrains.ClusterHost;

namespace VoiceGrains.Bench.Cluster;

/// <summary>What a grain call between two processes costs above a bare request and reply over the same broker between the same processes.</summary>
internal static class RpcScenario
{
    private const double RatioTarget = 2;
    private const double RateTarget = 10_000;
    private const int CallsPerTurn = 100;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    private static readonly Option<int> Calls = new("--calls") { Description = "Sequential calls of each kind.", DefaultValueFactory = _ => 10_000 };
    private static readonly Option<int[]> Callers = new("--callers") { Description = "Numbers of concurrent callers, each of a grain of its own.", DefaultValueFactory = _ => [64, 256], AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds of each kind for each number of callers.", DefaultValueFactory = _ => 3 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "How long each such round measures.", DefaultValueFactory = _ => 5 };
    private static readonly Option<int> Bytes = new("--bytes") { Description = "Length of the text that goes there and back.", DefaultValueFactory = _ => 100 };

    public static Command Command()
    {
        var command = new Command("rpc", "Grain calls between two processes beside bare RabbitMQ.Client request/reply: latency of sequential calls, throughput of concurrent ones.")
        {
            Calls, Callers, Rounds, Seconds, Bytes,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult given, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        var queue = $"bare-{Guid.NewGuid():N}";
        await using var cluster = await BenchCluster.StartAsync(1, [$"--BareQueue={queue}"], cancellationToken);
        await using var bare = await BareCaller.StartAsync(cluster.Rabbit.Uri, queue, cancellationToken);
        var text = new string('x', given.GetValue(Bytes));
        var body = Encoding.UTF8.GetBytes($"[\"{text}\"]");      // as long as the grain call's
        IEchoGrain[] grains = [.. Enumerable.Range(0, given.GetValue(Callers)!.Max()).Select(number => cluster.Grains.GetGrain<IEchoGrain>($"echo-{number}"))];
        Func<int, Task> bareCall = _ => bare.CallAsync(body), grainCall = caller => grains[caller].EchoAsync(text);

        foreach (var call in new[] { grainCall, bareCall, grainCall })
            await RoundAsync(cluster, call, grains.Length, WarmUp, cancellationToken);
        var isQuick = await LatencyAsync(bareCall, grainCall, given.GetValue(Calls), cancellationToken);

        Console.WriteLine("\n| callers | | calls/s | p50 ms | p99 ms | CPU µs per call: client | silo | broker |\n|---|---|---|---|---|---|---|---|");
        var best = 0.0;
        foreach (var callers in given.GetValue(Callers)!)
        {
            List<Round> bareRounds = [], grainRounds = [];
            for (var round = 0; round < given.GetValue(Rounds); round++)
            {
                bareRounds.Add(await RoundAsync(cluster, bareCall, callers, TimeSpan.FromSeconds(given.GetValue(Seconds)), cancellationToken));
                grainRounds.Add(await RoundAsync(cluster, grainCall, callers, TimeSpan.FromSeconds(given.GetValue(Seconds)), cancellationToken));
            }
            Print(callers, "bare", Middle(bareRounds));
            Print(callers, "grain", Middle(grainRounds));
            best = Math.Max(best, Middle(grainRounds).Rate);
        }
        Console.WriteLine(Scenario.Machine());
        return isQuick && best >= RateTarget ? 0 : CliException.CallFailed;
    }

    // A few calls of one kind, a few of the other: whatever else the machine does, it does to both.
    private static async Task<bool> LatencyAsync(Func<int, Task> bareCall, Func<int, Task> grainCall, int calls, CancellationToken cancellationToken)
    {
        List<double> bare = new(calls), grain = new(calls);
        while (grain.Count < calls)
        {
            await TimeAsync(bareCall, bare, cancellationToken);
            await TimeAsync(grainCall, grain, cancellationToken);
        }
        var ratio = LoadReport.At(grain, 0.5) / LoadReport.At(bare, 0.5);
        Console.WriteLine("\n| one call after another | median µs | p99 µs | calls |\n|---|---|---|---|");
        foreach (var (name, times) in new[] { ("bare", bare), ("grain", grain) })
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {LoadReport.At(times, 0.5):0} | {LoadReport.At(times, 0.99):0} | {times.Count} |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nRatio of the medians: {ratio:0.00} (target {RatioTarget})"));
        return ratio <= RatioTarget;
    }

    private static async Task TimeAsync(Func<int, Task> call, List<double> micros, CancellationToken cancellationToken)
    {
        for (var number = 0; number < CallsPerTurn; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var began = Stopwatch.GetTimestamp();
            await call(0);
            micros.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
        }
    }

    private static async Task<Round> RoundAsync(BenchCluster cluster, Func<int, Task> call, int callers, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        TimeSpan[] Cpu() => [Environment.CpuUsage.TotalTime, cluster.Silos[0].CpuTime, cluster.Rabbit.CpuTime];
        var before = Cpu();
        var began = Stopwatch.GetTimestamp();
        end.CancelAfter(duration);
        var times = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(() => CallUntilAsync(call, caller, end.Token), CancellationToken.None)));
        var elapsed = Stopwatch.GetElapsedTime(began);
        cancellationToken.ThrowIfCancellationRequested();
        List<double> all = [.. times.SelectMany(own => own)];
        return new(all.Count / elapsed.TotalSeconds, LoadReport.At(all, 0.5) / 1000 ?? 0, LoadReport.At(all, 0.99) / 1000 ?? 0, [.. Cpu().Zip(before, (after, start) => (after - start).TotalMicroseconds / all.Count)]);
    }

    private static async Task<List<double>> CallUntilAsync(Func<int, Task> call, int caller, CancellationToken end)
    {
        List<double> micros = [];
        while (!end.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            await call(caller).ConfigureAwait(false);
            micros.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
        }
        return micros;
    }

    private static Round Middle(List<Round> rounds) => rounds.OrderBy(round => round.Rate).ElementAt(rounds.Count / 2);

    private static void Print(int callers, string kind, Round round) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {callers} | {kind} | {round.Rate:0} | {round.MedianMs:0.0} | {round.P99Ms:0.0} | {round.CpuMicros[0]:0} | {round.CpuMicros[1]:0} | {round.CpuMicros[2]:0} |"));

    /// <param name="CpuMicros">Per call: of this process, the silo and the broker.</param>
    private sealed record Round(double Rate, double MedianMs, double P99Ms, double[] CpuMicros);
}
