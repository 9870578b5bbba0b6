using System.CommandLine;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Accounts;

/// <summary>The options of the commands for administrators: the server, and the token.</summary>
internal sealed class AdminOptions
{
    private readonly Option<string?> url = new("--url") { Description = "Server; default VOICEGRAINS_URL, the one on the data folder, or http://127.0.0.1:8080." };
    private readonly Option<string?> token = new("--admin-token") { Description = "Administrator's token; default VOICEGRAINS_ADMIN_TOKEN or the data folder's admin-token." };
    private readonly Option<bool> json = new("--json") { Description = "Print what the server answers." };

    public void AddTo(Command command)
    {
        command.Options.Add(url);
        command.Options.Add(token);
        command.Options.Add(json);
    }

    public AdminClient Connect(ParseResult given) => new(ServerAddress.UrlFrom(given.GetValue(url)), TokenFrom(given.GetValue(token)));

    public bool IsJson(ParseResult given) => given.GetValue(json);

    private static string TokenFrom(string? given)
    {
        if (given is not null) return given;
        if (Environment.GetEnvironmentVariable("VOICEGRAINS_ADMIN_TOKEN") is { Length: > 0 } stated) return stated;
        var path = ServerAddress.DataFile("admin-token");
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException(
                $"No administrator's token: {path} cannot be read. Start the server once with ./run, or give --admin-token or VOICEGRAINS_ADMIN_TOKEN.", CliException.NoServer);
        }
    }
}
