using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace VoiceGrains.Cli.Accounts;

/// <summary><c>vg account</c>: the accounts of a server, for who runs it.</summary>
internal static class AccountCommand
{
    private const string Accounts = "/admin/accounts";

    public static Command Create(TextWriter output) => new("account", "Make, list, change, disable and enable accounts. For administrators.")
    {
        CreateCreate(output), CreateList(output), CreateShow(output), CreateUpdate(output), CreateDisable(output), CreateEnable(output),
    };

    private static Command CreateCreate(TextWriter output)
    {
        var name = new Option<string>("--name") { Description = "What it is called; need not be unique.", Required = true };
        var plan = new Option<string?>("--plan") { Description = "Plan; default self_hosted, which has no limits." };
        var (most, keep) = (MostOption(), KeepOption());
        var command = new Command("create", "Make an account and its first API key, which is shown once.") { name, plan, most, keep };
        return Acting(command, output, async (server, given, isJson, cancellationToken) =>
        {
            var body = new JsonObject { ["name"] = given.GetValue(name) };
            if (given.GetValue(plan) is { } stated) body["plan"] = stated;
            AddNumbers(body, given.GetValue(most), given.GetValue(keep));
            var made = await server.PostAsync(Accounts, body, cancellationToken);
            return isJson ? AdminOutput.Json(made) : AdminOutput.NewKey(made["apiKey"]!);
        });
    }

    private static Command CreateList(TextWriter output)
    {
        var search = new Option<string?>("--search") { Description = "Only accounts with this in their name, or with this id." };
        var limit = NumberOption.Whole("--limit", "At most so many, newest first.", 1, 100_000, 100);
        var command = new Command("list", "Show accounts with their counts of working keys, agents, active calls and kept calls.") { search, limit };
        return Acting(command, output, async (server, given, isJson, cancellationToken) =>
        {
            var path = given.GetValue(search) is { Length: > 0 } words ? $"{Accounts}?search={Uri.EscapeDataString(words)}" : Accounts;
            var (rows, total) = await server.ListAsync(path, given.GetRequiredValue(limit)!.Value, cancellationToken);
            return isJson ? AdminOutput.Json(rows) : AdminOutput.Accounts(rows, total);
        });
    }

    private static Command CreateShow(TextWriter output)
    {
        var id = IdArgument();
        return Acting(new Command("show", "Show one account.") { id }, output, async (server, given, isJson, cancellationToken)
            => Shown(await server.GetAsync(PathOf(given.GetValue(id)), cancellationToken), isJson));
    }

    private static Command CreateUpdate(TextWriter output)
    {
        var id = IdArgument();
        var name = new Option<string?>("--name") { Description = "New name." };
        var plan = new Option<string?>("--plan") { Description = "New plan." };
        var (most, keep) = (MostOption(), KeepOption());
        var command = new Command("update", "Change an account: what is not given stays.") { id, name, plan, most, keep };
        return Acting(command, output, async (server, given, isJson, cancellationToken) =>
        {
            var body = new JsonObject();
            if (given.GetValue(name) is { } called) body["name"] = called;
            if (given.GetValue(plan) is { } stated) body["plan"] = stated;
            AddNumbers(body, given.GetValue(most), given.GetValue(keep));
            if (body.Count == 0) throw new CliException("Nothing to change: give --name, --plan, --concurrent-calls or --retention-days.", CliException.Usage);
            return Shown(await server.PatchAsync(PathOf(given.GetValue(id)), body, cancellationToken), isJson);
        });
    }

    private static Command CreateDisable(TextWriter output)
    {
        var id = IdArgument();
        var end = new Option<bool>("--end-calls") { Description = "Hang up on its live calls as well; without, calls that exist go on to their end." };
        var command = new Command("disable", "Refuse all of an account's keys, at once and on all gateways. Nothing is deleted.") { id, end };
        return Acting(command, output, async (server, given, isJson, cancellationToken) =>
        {
            var done = await server.PostAsync(PathOf(given.GetValue(id)) + "/disable", new JsonObject { ["endCalls"] = given.GetValue(end) }, cancellationToken);
            if (isJson) return AdminOutput.Json(done);
            var (ended, active) = ((int)done["endedCalls"]!, (int)done["account"]!["activeCalls"]!);
            return AdminOutput.Account(done["account"]!) + (given.GetValue(end) ? $"\n\n{ended} calls were told to end." : active > 0 ? $"\n\n{active} calls go on to their end." : "");
        });
    }

    private static Command CreateEnable(TextWriter output)
    {
        var id = IdArgument();
        return Acting(new Command("enable", "Take a disabled account's keys again.") { id }, output, async (server, given, isJson, cancellationToken)
            => Shown(await server.PostAsync(PathOf(given.GetValue(id)) + "/enable", null, cancellationToken), isJson));
    }

    /// <summary>Connects, acts, and prints what came of it.</summary>
    internal static Command Acting(Command command, TextWriter output, Func<AdminClient, ParseResult, bool, CancellationToken, Task<string>> act)
    {
        var options = new AdminOptions();
        options.AddTo(command);
        command.SetAction(async (given, cancellationToken) =>
        {
            using var server = options.Connect(given);
            await output.WriteLineAsync(await act(server, given, options.IsJson(given), cancellationToken));
            return 0;
        });
        return command;
    }

    internal static Argument<string> IdArgument() => new("ACCOUNT") { Description = "The account's id." };

    /// <exception cref="CliException">It is no id.</exception>
    internal static string PathOf(string? id)
        => Guid.TryParseExact(id, "D", out var known) ? $"{Accounts}/{known}" : throw new CliException($"'{id}' is no account's id. ./vg account list shows them.", CliException.Usage);

    private static string Shown(JsonNode account, bool isJson) => isJson ? AdminOutput.Json(account) : AdminOutput.Account(account);

    private static Option<string?> KeepOption()
        => new("--retention-days") { Description = "Days that its ended calls are kept: a number, 'forever', or 'default' for the server's Retention:Days." };

    private static Option<string?> MostOption()
        => new("--concurrent-calls") { Description = "Most calls at once: a number, or 'plan' for what its plan says." };

    private static void AddNumbers(JsonObject body, string? most, string? keep)
    {
        if (most is not null)
            body["allowedConcurrentCalls"] = most == "plan" ? null : Number(most) ?? throw new CliException($"--concurrent-calls must be a number or 'plan', not '{most}'.", CliException.Usage);
        if (keep is null) return;
        body["retentionDays"] = keep switch
        {
            "default" => null,
            "forever" => 0,
            _ when Number(keep) is { } days and > 0 => days,
            _ => throw new CliException($"--retention-days must be a number from 1, 'forever' or 'default', not '{keep}'.", CliException.Usage),
        };
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
