using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Hosting.Server;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>Makes the first account before anyone is served and, once the server listens, tells the person at the terminal where it is and what to try.</summary>
internal sealed class FirstStart(LaunchOptions options, DataFolder folder, AccountSetup accounts, IServer server, IHostApplicationLifetime lifetime)
    : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var first = await accounts.EnsureFirstAccountAsync(cancellationToken);
        if (first is not null)
            folder.WriteApiKey(first.ApiKey);
        lifetime.ApplicationStarted.Register(() => _ = AnnounceAsync(first));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task AnnounceAsync(FirstAccount? first)
    {
        var url = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? options.Url;
        folder.WriteUrl(url);
        Console.WriteLine($"VoiceGrains is ready on {url}");
        var here = Welcome.FromHere(url);
        var talkUrl = await TalkLink.CreateAsync(folder, here);
        if (first is not null) Console.WriteLine(Welcome.Text(first, folder, here, talkUrl));
        else if (talkUrl is not null) Console.WriteLine(Welcome.Talk(talkUrl));
    }
}
