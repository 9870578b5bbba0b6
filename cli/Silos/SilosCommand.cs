using System.CommandLine;
using System.Text.Json;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Silos;

/// <summary><c>vg silos</c>: who is in the cluster.</summary>
internal static class SilosCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print what the server answers." };
        var watch = new Option<bool>("--watch") { Description = "Look again each second, until Ctrl-C." };
        var server = new ServerOptions();
        var command = new Command("silos", "Show the cluster's silos: state, load, live calls, version, address.") { json, watch };
        server.AddTo(command);
        command.SetAction((given, cancellationToken) => given.GetValue(watch)
            ? WatchAsync(server.From(given), given.GetValue(json), Console.Out, cancellationToken)
            : ShowAsync(server.From(given), given.GetValue(json), Console.Out, TimeProvider.System, cancellationToken));
        return command;
    }

    /// <returns>The exit code.</returns>
    /// <exception cref="CliException">No server, a key that it refuses, or an answer that is none.</exception>
    public static async Task<int> ShowAsync(ServerAddress server, bool asJson, TextWriter output, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var client = new CallClient(server);
        var silos = await client.GetSilosAsync(cancellationToken);
        await output.WriteLineAsync(asJson ? silos.ToJsonString(Indented) : SiloTable.Text(silos, clock.GetUtcNow()));
        return 0;
    }

    /// <summary>A server that is away for a moment is what one watches for.</summary>
    internal static async Task<int> WatchAsync(ServerAddress server, bool asJson, TextWriter output, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var page = new StringWriter();
            try
            {
                await ShowAsync(server, asJson, page, TimeProvider.System, cancellationToken);
            }
            catch (CliException problem)
            {
                await page.WriteLineAsync(problem.Message);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            if (!Console.IsOutputRedirected)
                await output.WriteAsync("\e[H\e[J");        // the page's place: top left, cleared
            await output.WriteLineAsync(page.ToString());
            await Task.Delay(WatchPeriod, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return 0;       // Ctrl-C is how one stops looking
    }
}
