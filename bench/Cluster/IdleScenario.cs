using System.CommandLine;
using System.Globalization;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli.Load;
using VoiceGrains.ClusterHost;

namespace VoiceGrains.Bench.Cluster;

/// <summary>What grains cost that nobody calls: CPU of three silos with and without them, and memory for each.</summary>
internal static class IdleScenario
{
    private const int Silos = 3;
    private const int AtOnce = 32;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(30), Settle = TimeSpan.FromSeconds(3);
    private static readonly string[] NoMessages = [], TwentyMessages = [.. Enumerable.Range(0, 20).Select(number => $"{number,3} {new string('x', 76)}")];
    private static readonly Option<int> Grains = new("--grains") { Description = "Idle grains.", DefaultValueFactory = _ => 1_000 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "How long the CPU time of the silos is watched each time.", DefaultValueFactory = _ => 15 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "How often, with grains and without.", DefaultValueFactory = _ => 3 };

    public static Command Command()
    {
        var command = new Command("idle", "Idle activations with a state and a timer each, on three silos: CPU and memory.") { Grains, Seconds, Rounds };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult given, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        await using var cluster = await BenchCluster.StartAsync(Silos, [], cancellationToken);
        var count = given.GetValue(Grains);
        var seconds = given.GetValue(Seconds);
        // Brings code, pools and caches to where they stay; code is still being optimized in the background for a while.
        await BeginAsync(cluster, "warm", count, TwentyMessages, cancellationToken);
        await LeaveAsync(cluster, "warm", count, cancellationToken);
        await Task.Delay(WarmUp, cancellationToken);

        var empty = await HeapAsync(cluster, cancellationToken);
        List<double> without = [], with = [];
        for (var round = 0; round < given.GetValue(Rounds); round++)
        {
            without.AddRange(await CpuAsync(cluster, seconds, cancellationToken));
            await BeginAsync(cluster, $"grain{round}", count, TwentyMessages, cancellationToken);
            with.AddRange(await CpuAsync(cluster, seconds, cancellationToken));
            await LeaveAsync(cluster, $"grain{round}", count, cancellationToken);
        }
        Console.WriteLine("\n| CPU of a silo, ms/s | median | lowest | highest |\n|---|---|---|---|");
        foreach (var (name, used) in new[] { ("no grains", without), ($"{count} grains on {Silos} silos", with) })
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {LoadReport.At(used, 0.5):0.0} | {used.Min():0.0} | {used.Max():0.0} |"));

        Console.WriteLine("\n| heap of the silos after a collection | bytes for each grain |\n|---|---|");
        foreach (var (name, messages) in new[] { ("a timer and a state without messages", NoMessages), ("a timer and a state of 20 messages of 80 characters", TwentyMessages) })
        {
            var before = await HeapAsync(cluster, cancellationToken);
            await BeginAsync(cluster, name, count, messages, cancellationToken);
            Console.WriteLine($"| {name} | {(await HeapAsync(cluster, cancellationToken) - before) / count} |");
            await LeaveAsync(cluster, name, count, cancellationToken);
        }
        Console.WriteLine($"| left when all are gone, for each that there was | {(await HeapAsync(cluster, cancellationToken) - empty) / count / (given.GetValue(Rounds) + 2)} |\n{Scenario.Machine()}");
        return 0;
    }

    // In ms/s, one for each silo.
    private static async Task<IEnumerable<double>> CpuAsync(BenchCluster cluster, double seconds, CancellationToken cancellationToken)
    {
        TimeSpan[] Cpu() => [.. cluster.Silos.Select(silo => silo.CpuTime)];
        await Task.Delay(Settle, cancellationToken);
        var before = Cpu();
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);
        return Cpu().Zip(before, (after, start) => (after - start).TotalMilliseconds / seconds);
    }

    private static async Task BeginAsync(BenchCluster cluster, string name, int count, string[] messages, CancellationToken cancellationToken)
    {
        await ForEachAsync(count, number => cluster.Grains.GetGrain<ICallLikeGrain>($"{name}-{number}").BeginAsync(messages), cancellationToken);
        await cluster.WaitForActivationsAsync(count, cancellationToken);
    }

    private static async Task LeaveAsync(BenchCluster cluster, string name, int count, CancellationToken cancellationToken)
    {
        await ForEachAsync(count, number => cluster.Grains.GetGrain<ICallLikeGrain>($"{name}-{number}").LeaveAsync(), cancellationToken);
        await cluster.WaitForActivationsAsync(0, cancellationToken);
    }

    private static async Task<long> HeapAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        var total = 0L;
        foreach (var silo in cluster.Silos)
            total += await silo.CollectedHeapAsync(cancellationToken);
        return total;
    }

    private static Task ForEachAsync(int count, Func<int, Task> act, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (number, _) => await act(number));
}
