using System.CommandLine;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Bench.Scenarios;

/// <summary>How many calls the machine carries, server and callers together, before their sound comes unevenly.</summary>
internal static class LoadScenario
{
    private const double JitterLimitMs = 20;
    private const string Answer = "All right, I have noted that down. Is there anything else that I can do for you?";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4.5);

    public static Command Command()
    {
        var scenario = new Scenario([50, 100, 200, 300, 400, 600, 800], seconds: 20);
        var command = new Command("load", "Calls at the same time: pacing jitter, CPU and allocation for growing numbers of calls, until p99 jitter passes 20 ms.")
        {
            scenario.Calls, scenario.Seconds, scenario.Postgres,
        };
        command.SetAction(async (given, cancellationToken) =>
        {
            var carried = 0;
            Console.WriteLine("| calls | jitter p50 ms | jitter p99 ms | underruns | after endpoint p50/p99 ms | server ms/s per call | server cores | client cores | KB/s per call | gen0/gen2 | server MiB | failed |");
            Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|");
            await scenario.RunAsync(given, Answer, Pause, (round, clientCores) =>
            {
                Console.WriteLine(Row(round, clientCores));
                var isEven = round.IsWhole && LoadReport.At(round.JitterMs, 0.99) <= JitterLimitMs;
                if (isEven) carried = round.Calls;
                return isEven;
            }, cancellationToken);
            Console.WriteLine($"p99 jitter stays within {JitterLimitMs} ms up to {carried} calls.");
            return carried > 0 ? 0 : CliException.CallFailed;
        });
        return command;
    }

    private static string Row(LoadReport round, double clientCores)
    {
        var running = Math.Max(1, round.Calls - round.Failed);
        return string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"| {round.Calls} | {LoadReport.At(round.JitterMs, 0.5):0.0} | {LoadReport.At(round.JitterMs, 0.99):0.0} | {round.Underruns} | {LoadReport.At(round.AnswerMs, 0.5):0.0} / {LoadReport.At(round.AnswerMs, 0.99):0.0} | {round.ServerCores / running * 1000:0.00} | {round.ServerCores:0.00} | {clientCores:0.00} | {round.AllocationRate / 1000:0.0} | {round.Runtime?.Gen0:0} / {round.Runtime?.Gen2:0} | {round.ServerBytesAfter / 1048576.0:0} | {round.Failed + round.Dropped} |");
    }
}
