using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;
using VoiceGrains.ClusterHost;

namespace VoiceGrains.Bench.Cluster;

/// <summary>What the first call to a grain takes: placement, claim in the directory, binding, its state, and the call itself.</summary>
internal static class ActivationScenario
{
    private const double TargetMs = 5;
    private static readonly Option<int> Grains = new("--grains") { Description = "New grains of each kind.", DefaultValueFactory = _ => 1_000 };

    public static Command Command()
    {
        var command = new Command("activation", "First calls to grains that were never used, from another process.") { Grains };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult given, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        await using var cluster = await BenchCluster.StartAsync(2, [], cancellationToken);
        Func<string, Task> stateless = key => cluster.Grains.GetGrain<IEchoGrain>(key).EchoAsync("x"), stateful = key => cluster.Grains.GetGrain<IAccountGrain>(key).WhereAsync();
        Func<string, Task> again = _ => cluster.Grains.GetGrain<IEchoGrain>("again").EchoAsync("x");
        List<double> ignored = [], first = [], firstWithState = [], later = [];
        for (var number = 0; number < given.GetValue(Grains) * 2; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isWarm = number >= given.GetValue(Grains);
            await TimeAsync(() => stateless($"echo-{number}"), isWarm ? first : ignored);
            await TimeAsync(() => stateful($"account-{number}"), isWarm ? firstWithState : ignored);
            await TimeAsync(() => again(""), isWarm ? later : ignored);
        }
        Console.WriteLine("\n| | median ms | p99 ms | calls |\n|---|---|---|---|");
        foreach (var (name, times) in new[] { ("first call", first), ("first call, with a state to read", firstWithState), ("call to an active grain", later) })
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {LoadReport.At(times, 0.5):0.00} | {LoadReport.At(times, 0.99):0.00} | {times.Count} |"));
        Console.WriteLine($"\nTarget: median of both first calls at most {TargetMs} ms.\n{Scenario.Machine()}");
        return LoadReport.At(first, 0.5) <= TargetMs && LoadReport.At(firstWithState, 0.5) <= TargetMs ? 0 : CliException.CallFailed;
    }

    private static async Task TimeAsync(Func<Task> call, List<double> millis)
    {
        var began = Stopwatch.GetTimestamp();
        await call();
        millis.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }
}
