using System.CommandLine;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;
using VoiceGrains.Cli.Silos;
using VoiceGrains.Cli.Talk;

// Exit codes: 0 all went well, 1 the call did not, 2 a mistake on the command line or in a file, 3 no server or a key that it refuses.
var root = new RootCommand("The command-line client of VoiceGrains.") { TalkCommand.Create(), LoadCommand.Create(), SilosCommand.Create() };
var given = root.Parse(args);
if (given.Errors.Count > 0)
{
    foreach (var error in given.Errors)
        Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine($"See: ./vg {(given.CommandResult.Command == root ? "" : given.CommandResult.Command.Name + " ")}--help");
    return CliException.Usage;
}
try
{
    return await given.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
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
