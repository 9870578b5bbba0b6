using System.CommandLine;
using System.CommandLine.Parsing;
using VoiceGrains.Cli.Accounts;
using VoiceGrains.Cli.Load;
using VoiceGrains.Cli.Silos;
using VoiceGrains.Cli.Talk;
using VoiceGrains.Cli.Usage;

namespace VoiceGrains.Cli;

/// <summary>What <c>vg</c> understands.</summary>
internal static class CommandLine
{
    /// <summary>After Ctrl-C, for leaving calls, saving and summing up.</summary>
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(10);

    /// <summary>Runs one command.</summary>
    /// <param name="args">As typed.</param>
    /// <param name="output">Standard output, where commands print.</param>
    /// <param name="error">Where mistakes are told.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>0 all went well, 1 it did not, 2 a mistake on the command line or in a file, 3 no server or one that refuses the key.</returns>
    public static async Task<int> RunAsync(string[] args, Stream output, TextWriter error, CancellationToken cancellationToken = default)
    {
        await using var text = new StreamWriter(output, leaveOpen: true) { AutoFlush = true };
        var root = new RootCommand("The command-line client of VoiceGrains.")
        {
            TalkCommand.Create(), LoadCommand.Create(), SilosCommand.Create(),
            AccountCommand.Create(text), KeyCommand.Create(text, TimeProvider.System), UsageCommand.Create(output),
        };
        var given = root.Parse(args);
        if (given.Errors.Count > 0)
        {
            foreach (var problem in given.Errors)
                await error.WriteLineAsync(problem.Message);
            await error.WriteLineAsync($"See: ./vg {PathOf(given.CommandResult)}--help");
            return CliException.Usage;
        }
        try
        {
            return await given.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = LeaveLimit }, cancellationToken);
        }
        catch (CliException problem)
        {
            await error.WriteLineAsync(problem.Message);
            return problem.ExitCode;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("Stopped.");
            return CliException.CallFailed;
        }
    }

    /// <summary><c>account create </c> for a command inside another, nothing for the root.</summary>
    private static string PathOf(CommandResult result) => result.Parent is CommandResult parent ? $"{PathOf(parent)}{result.Command.Name} " : "";
}
