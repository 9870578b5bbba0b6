using System.CommandLine;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Bench.Scenarios;

/// <summary>How much a turn takes that is the server's own, at 1 call and at 100.</summary>
internal static class TurnScenario
{
    private const double MedianTargetMs = 25;
    private const double P99TargetMs = 40;
    private const string Answer = "All right, I have noted that.";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2.4);

    public static Command Command()
    {
        var scenario = new Scenario([1, 100], seconds: 60);
        var command = new Command("turn", "Turn overhead: from the end of the endpoint delay to the first agent sample, at 1 call and at 100.")
        {
            scenario.Calls, scenario.Seconds, scenario.Postgres,
        };
        command.SetAction(async (given, cancellationToken) =>
        {
            List<LoadReport> rounds = [];
            await scenario.RunAsync(given, Answer, Pause, (round, _) =>
            {
                Print(round);
                rounds.Add(round);
                return true;
            }, cancellationToken);
            if (rounds is [var first, .., var last] && Median(first) is > 0 and var alone)
                Console.WriteLine($"\nmedian at {last.Calls} calls : at {first.Calls} = {Median(last) / alone:0.00}");
            return rounds.TrueForAll(round => round.IsWhole && Median(round) <= MedianTargetMs && LoadReport.At(round.AnswerMs, 0.99) <= P99TargetMs) ? 0 : CliException.CallFailed;
        });
        return command;
    }

    private static void Print(LoadReport round)
    {
        Console.WriteLine($"\n{round.Calls} call(s), {round.AnswerMs.Count} turns in {round.Seconds:0} s; {round.Failed} failed, {round.Dropped} dropped; target median {MedianTargetMs} ms, p99 {P99TargetMs} ms");
        Console.WriteLine($"  {"",-36}{"median",8}{"p95",8}{"p99",8}{"count",8}  ms");
        PrintRow("at the client: stopped to first sample", round.AnswerMs);
        foreach (var (part, values) in round.ServerPartsMs)
            PrintRow($"server: {part}", values);
    }

    private static void PrintRow(string name, List<double> values)
        => Console.WriteLine($"  {name,-36}{LoadReport.At(values, 0.5),8:0.0}{LoadReport.At(values, 0.95),8:0.0}{LoadReport.At(values, 0.99),8:0.0}{values.Count,8}");

    private static double? Median(LoadReport round) => LoadReport.At(round.AnswerMs, 0.5);
}
