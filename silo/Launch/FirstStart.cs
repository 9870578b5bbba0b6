using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace VoiceGrains.Silo.Launch;

/// <summary>Makes the first account before anyone is served and, once the server listens, tells the person at the terminal where it is and what to try.</summary>
internal sealed class FirstStart(LaunchOptions options, DataFolder folder, IServer server, IHostApplicationLifetime lifetime, IEnumerable<IFirstAccount> accounts)
    : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        (string AccountId, string ApiKey)? made = null;
        if (accounts.FirstOrDefault() is { } first)
            made = await first.EnsureAsync(cancellationToken);
        if (made is var (_, key))
            folder.WriteApiKey(key);
        lifetime.ApplicationStarted.Register(() => Announce(made));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Announce((string AccountId, string ApiKey)? made)
    {
        var url = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? options.Url;
        var print = Console.Out;
        print.WriteLine($"VoiceGrains is ready on {url}");
        if (made is var (accountId, apiKey))
        {
            var at = options.Port == 8080 ? "" : $" --url {url}";
            print.WriteLine($"""

                  First start: an account was made for you.
                    account   {accountId}
                    API key   {apiKey}
                    kept in   {folder.ApiKeyFile}

                  Talk to an agent (from another terminal):
                    ./vg talk /usr/share/pocketsphinx/test/data/goforward.raw{at}
                  or see what the API knows:
                    curl -H 'X-API-Key: {apiKey}' {url}/api/voices

                """);
        }
        print.Flush();
    }
}
