using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Calls;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>Whole WebRTC calls on a whole server: REST, signalling, media, recognition, turns and answers, of providers that answer at once.</summary>
internal static class RoomScenario
{
    private const string Answer = "All right, I have noted that down. Is there anything else that I can do for you?";
    private const int FramesPerSecond = 50;
    /// <summary>Calls whose figures are thrown away: they bring the server's hot code to its optimized form.</summary>
    private const int WarmUpCalls = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4.5), WarmUp = TimeSpan.FromSeconds(20), Settle = TimeSpan.FromSeconds(5);
    private static readonly Dictionary<string, string> OnLoopback = new() { ["WebRtc__Port"] = "0", ["WebRtc__Interfaces__0"] = "lo" };

    public static Command Command()
    {
        var scenario = new Scenario([25, 50, 100], seconds: 15);
        var command = new Command("webrtc-calls", "Whole WebRTC calls on a whole server: CPU and allocation for growing numbers of calls.") { scenario.Calls, scenario.Seconds, scenario.Postgres };
        command.SetAction(async (given, cancellationToken) =>
        {
            Console.WriteLine(Scenario.Machine());
            await using var server = await BenchServer.StartAsync(given.GetValue(scenario.Postgres), Answer, cancellationToken, OnLoopback);
            var speech = new Speech(Pause);
            await RoundAsync(server, WarmUpCalls, WarmUp, speech, cancellationToken);
            Console.WriteLine("| calls | server ms/s per call | calls per core | server cores | client cores | KB/s per call | of 100 packets sent, received | messages/s per call | lost |\n|---|---|---|---|---|---|---|---|---|");
            foreach (var calls in given.GetValue(scenario.Calls)!) Console.WriteLine(await RoundAsync(server, calls, TimeSpan.FromSeconds(given.GetRequiredValue(scenario.Seconds)!.Value), speech, cancellationToken));
            Console.WriteLine(Scenario.Machine());
        });
        return command;
    }

    private static async Task<string> RoundAsync(BenchServer server, int calls, TimeSpan duration, Speech speech, CancellationToken cancellationToken)
    {
        using var client = new CallClient(server.Address);
        using var http = new HttpClient { BaseAddress = server.Address.Url };
        List<RoomCaller> joined = [];
        try
        {
            while (joined.Count < calls)
            {
                var call = await client.CreateAsync(new CallRequest { IsWebRtc = true, AgentSpeaksFirst = false }, cancellationToken);
                joined.Add(await RoomCaller.JoinAsync(call.JoinUrl, cancellationToken));
            }
            using var callers = new Callers([.. joined.Select(caller => caller.Media)], speech);
            callers.Start();
            await Task.Delay(Settle, cancellationToken);
            var (metrics, server0, own) = (await ServerMetrics.ReadAsync(http, cancellationToken), ServerProcess.Read(server.ProcessId), Environment.CpuUsage.TotalTime);
            var (sent, received, messages, watch) = (callers.Sent, callers.Received, joined.Sum(caller => caller.Media.Messages), Stopwatch.StartNew());
            await Task.Delay(duration, cancellationToken);
            var seconds = watch.Elapsed.TotalSeconds;
            var cores = (ServerProcess.Read(server.ProcessId).Cpu - server0.Cpu).TotalSeconds / seconds;
            var allocated = await ServerMetrics.ReadAsync(http, cancellationToken) - metrics;
            double Share(long count) => count / (calls * seconds * FramesPerSecond) * 100;
            return string.Create(CultureInfo.InvariantCulture,
                $"| {calls} | {cores / calls * 1000:0.00} | {calls / cores:0} | {cores:0.00} | {(Environment.CpuUsage.TotalTime - own).TotalSeconds / seconds:0.00} | {allocated?.AllocatedBytes / seconds / calls / 1000:0.0} | {Share(callers.Sent - sent):0.0}, {Share(callers.Received - received):0.0} | {(joined.Sum(caller => caller.Media.Messages) - messages) / seconds / calls:0.0} | {joined.Count(caller => caller.Ended is not null)} |");
        }
        finally
        {
            await Task.WhenAll(joined.Select(caller => caller.LeaveAsync()));
            joined.ForEach(caller => caller.Dispose());
        }
    }
}
