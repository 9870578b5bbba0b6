using VoiceGrains.Gateway.Talk;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>What the person at the terminal is told at the first start on a data folder.</summary>
internal static class Welcome
{
    /// <param name="talkUrl">Of the talk page; null where there is none.</param>
    public static string Text(FirstAccount first, DataFolder folder, string url, string? talkUrl)
    {
        var vg = Command(folder);
        return $"""

              First start: an account was made for you.
                account   {first.Account.AccountId}
                API key   {first.ApiKey}
                kept in   {folder.ApiKeyFile}

            {Talk(talkUrl)}

              Or from another terminal:
                {vg} talk --text "Hello, who are you?"
                {vg} talk /usr/share/pocketsphinx/test/data/goforward.raw     (Debian: pocketsphinx-testdata)
              or ask the API itself:
                curl -H 'X-API-Key: {first.ApiKey}' {url}/api/voices

            """;
    }

    /// <summary>How this very machine reaches a server that listens on all addresses: browsers give pages of <c>0.0.0.0</c> no microphone.</summary>
    public static string FromHere(string url)
        => url.Replace("//0.0.0.0:", "//127.0.0.1:", StringComparison.Ordinal).Replace("//[::]:", "//127.0.0.1:", StringComparison.Ordinal);

    /// <summary>Where to talk in the browser.</summary>
    public static string Talk(string? talkUrl) => talkUrl is not null
        ? $"  Talk to an agent in your browser (this link works for a day):\n    {talkUrl}"
        : TalkPage.IsBuilt ? "  Talk to an agent:" : "  To talk in your browser, install Node.js (Debian: nodejs, npm) and start ./run again: the talk page is not built.";

    /// <summary>How the command-line client is called for a data folder.</summary>
    public static string Command(DataFolder folder)
        => folder.Root == Environment.GetEnvironmentVariable("VOICEGRAINS_DATA") ? "./vg" : $"VOICEGRAINS_DATA='{folder.Root}' ./vg";
}
