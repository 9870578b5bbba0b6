using System.CommandLine;
using VoiceGrains.Bench.Cluster;
using VoiceGrains.Bench.Lists;
using VoiceGrains.Bench.Micro;
using VoiceGrains.Bench.Rest;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Bench.WebRtc;
using VoiceGrains.Cli;

var root = new RootCommand("Measures a real server from outside, as its callers do. See bench/README.md.")
{
    TurnScenario.Command(), ToolScenario.Command(), LoadScenario.Command(), RpcScenario.Command(), ActivationScenario.Command(), IdleScenario.Command(), ListScenario.Command(), RestScenario.Command(), WebRtcScenario.Command(), MediaServer.Command(), RoomScenario.Command(), MicroCommand.Create(),
};
try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (CliException problem)
{
    Console.Error.WriteLine(problem.Message);
    return problem.ExitCode;
}
catch (OperationCanceledException)
{
    return CliException.CallFailed;
}
