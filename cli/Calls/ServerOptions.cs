using System.CommandLine;

namespace VoiceGrains.Cli.Calls;

/// <summary>The options by which each command finds its server.</summary>
internal sealed class ServerOptions
{
    private readonly Option<string?> url = new("--url") { Description = "Server; default VOICEGRAINS_URL, the one on the data folder, or http://127.0.0.1:8080." };
    private readonly Option<string?> key = new("--key") { Description = "API key; default VOICEGRAINS_API_KEY or the data folder's api-key." };

    public void AddTo(Command command)
    {
        command.Options.Add(url);
        command.Options.Add(key);
    }

    public ServerAddress From(ParseResult given) => ServerAddress.From(given.GetValue(url), given.GetValue(key));
}
