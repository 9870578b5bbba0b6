using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace VoiceGrains.Cli.Accounts;

/// <summary><c>vg key</c>: the API keys of any account, for who runs the server.</summary>
internal static class KeyCommand
{
    private const int Most = 100_000;

    public static Command Create(TextWriter output, TimeProvider clock)
        => new("key", "Make, list and revoke API keys of any account. For administrators.") { CreateCreate(output, clock), CreateList(output, clock), CreateRevoke(output) };

    private static Command CreateCreate(TextWriter output, TimeProvider clock)
    {
        var account = AccountCommand.IdArgument();
        var name = new Option<string?>("--name") { Description = "What it is for." };
        var expires = new Option<string?>("--expires") { Description = "When it ends: a date or time such as 2030-01-31 (UTC), or a span from now such as 90d, 12h or 30m. Default never." };
        var command = new Command("create", "Make an API key, which is shown once.") { account, name, expires };
        return AccountCommand.Acting(command, output, async (server, given, isJson, cancellationToken) =>
        {
            var body = new JsonObject();
            if (given.GetValue(name) is { } called) body["name"] = called;
            if (given.GetValue(expires) is { } end) body["expiryDate"] = Expiry(end, clock.GetUtcNow()).UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
            var made = await server.PostAsync(AccountCommand.PathOf(given.GetValue(account)) + "/keys", body, cancellationToken);
            return isJson ? AdminOutput.Json(made) : AdminOutput.NewKey(made);
        });
    }

    private static Command CreateList(TextWriter output, TimeProvider clock)
    {
        var account = AccountCommand.IdArgument();
        return AccountCommand.Acting(new Command("list", "Show an account's API keys, newest first.") { account }, output, async (server, given, isJson, cancellationToken) =>
        {
            var (rows, _) = await server.ListAsync(AccountCommand.PathOf(given.GetValue(account)) + "/keys", Most, cancellationToken);
            return isJson ? AdminOutput.Json(rows) : AdminOutput.Keys(rows, clock.GetUtcNow());
        });
    }

    private static Command CreateRevoke(TextWriter output)
    {
        var prefix = new Argument<string>("PREFIX") { Description = "The key's first eight characters." };
        return AccountCommand.Acting(new Command("revoke", "Refuse an API key from now on and for good, at once and on all gateways.") { prefix }, output, async (server, given, isJson, cancellationToken) =>
        {
            var stated = given.GetValue(prefix)!;
            if (stated.Length != 8 || !stated.All(char.IsAsciiLetterOrDigit)) throw new CliException("A key's prefix is its first eight letters and digits, before the point.", CliException.Usage);
            var revoked = await server.PostAsync($"/admin/keys/{stated}/revoke", null, cancellationToken);
            return isJson ? AdminOutput.Json(revoked) : $"Key {stated} of account {(string)revoked["accountId"]!} is revoked.";
        });
    }

    /// <summary>A span from now, or a time; a date is its first moment in UTC.</summary>
    internal static DateTimeOffset Expiry(string text, DateTimeOffset now)
    {
        if (text.Length > 1 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= 1_000_000)
        {
            switch (text[^1])
            {
                case 'd' when count <= 36_500: return now.AddDays(count);
                case 'h': return now.AddHours(count);
                case 'm': return now.AddMinutes(count);
            }
        }
        if (!DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            throw new CliException($"--expires must be a date such as 2030-01-31, a time such as 2030-01-31T12:00:00Z, or a span such as 90d, 12h or 30m, not '{text}'.", CliException.Usage);
        return time > now ? time : throw new CliException($"--expires lies in the past: {text}.", CliException.Usage);
    }
}
