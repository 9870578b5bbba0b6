using System.CommandLine;
using VoiceGrains.Cli.Accounts;

namespace VoiceGrains.Cli.Usage;

/// <summary><c>vg usage export</c>: what accounts used, for who bills them.</summary>
internal static class UsageCommand
{
    public static Command Create(Stream output) => new("usage", "What accounts used. For administrators.") { CreateExport(output) };

    private static Command CreateExport(Stream output)
    {
        var from = new Option<string?>("--from") { Description = "First day, or time, of the calls' creation (UTC); default the first of this month." };
        var to = new Option<string?>("--to") { Description = "Last day, inclusive, or time; default now." };
        var account = new Option<string?>("--account") { Description = "Only this account's; default all." };
        var by = new Option<string>("--by") { Description = "A row for each account and 'day', or for each 'call'.", DefaultValueFactory = _ => "day" };
        var format = new Option<string>("--format") { Description = "'csv', or 'jsonl': one JSON object in each line.", DefaultValueFactory = _ => "csv" };
        var file = new Option<FileInfo?>("--output") { Description = "File to write; whole or not at all. Default standard output." };
        by.AcceptOnlyFromAmong("day", "call");
        format.AcceptOnlyFromAmong("csv", "jsonl");
        var admin = new AdminOptions();
        var command = new Command("export", "Write calls, minutes and failures by account and day, or every call, deleted ones too.") { from, to, account, by, format, file };
        admin.AddTo(command);
        command.SetAction(async (given, cancellationToken) =>
        {
            using var server = admin.Connect(given);
            var path = $"/admin/usage?by={given.GetValue(by)}&format={(admin.IsJson(given) ? "jsonl" : given.GetValue(format))}"
                + Query("from", given.GetValue(from)) + Query("to", given.GetValue(to)) + Query("account", given.GetValue(account));
            if (given.GetValue(file) is { } target) await SaveAsync(server, path, target.FullName, cancellationToken);
            else await server.DownloadAsync(path, output, cancellationToken);
            return 0;
        });
        return command;
    }

    /// <summary>Written beside and renamed, so that nobody bills by half a file.</summary>
    private static async Task SaveAsync(AdminClient server, string path, string target, CancellationToken cancellationToken)
    {
        var draft = target + ".part";
        try
        {
            await using (var file = File.Create(draft)) await server.DownloadAsync(path, file, cancellationToken);
            File.Move(draft, target, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{target} cannot be written: {failure.Message}", CliException.Usage);
        }
        finally
        {
            if (File.Exists(draft)) File.Delete(draft);
        }
    }

    private static string Query(string name, string? value) => string.IsNullOrEmpty(value) ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
