using System.CommandLine;
using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.Cli.Tests;

/// <summary><c>vg</c> as typed: mistakes are told in words, with the exit code that scripts go by.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly Recordings recordings = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => recordings.Dispose();

    [Theory]
    [InlineData("--rate must be a whole number from 8000 to 48000, not 'fast'.", "talk", "--text", "hi", "--rate", "fast")]
    [InlineData("--rate must be a whole number from 8000 to 48000, not '5'.", "talk", "--text", "hi", "--rate", "5")]
    [InlineData("--buffer must be a whole number from 0 to 60000, not '1.5'.", "talk", "--text", "hi", "--buffer", "1.5")]
    [InlineData("--barge-in must be a number from 0 to 3600, not '-1'.", "talk", "--text", "hi", "--barge-in", "-1")]
    [InlineData("--turn-limit must be a number from 0.1 to 3600, not 'NaN'.", "talk", "--text", "hi", "--turn-limit", "NaN")]
    [InlineData("Required argument missing for option: '--text'.", "talk", "--text")]
    [InlineData("Required argument missing for option: '--agent'.", "talk", "--text", "hi", "--agent")]
    [InlineData("Required argument missing for option: '--rate'.", "talk", "--text", "hi", "--rate")]
    [InlineData("Name a FILE to speak, or use --text or --mic.", "talk")]
    [InlineData("--mic goes without files and texts.", "talk", "--mic", "--text", "hi")]
    [InlineData("--prompt, --voice and --model are the agent's own", "talk", "--text", "hi", "--agent", "x", "--voice", "Mark")]
    [InlineData("--calls must be a whole number from 1 to 10000, not 'many'.", "load", "--calls", "many")]
    [InlineData("--calls must be a whole number from 1 to 10000, not '0'.", "load", "--calls", "0")]
    [InlineData("--seconds must be a number from 1 to 86400, not '0.5'.", "load", "--seconds", "0.5")]
    [InlineData("--ramp must be a number from 0.01 to 1000, not '0'.", "load", "--ramp", "0")]
    [InlineData("--pause must be a number from 0 to 600, not 'x'.", "load", "--pause", "x")]
    [InlineData("--pid must be a whole number from 1 to 2147483647, not 'mine'.", "load", "--pid", "mine")]
    [InlineData("--limit must be a whole number from 1 to 100000, not 'all'.", "account", "list", "--limit", "all")]
    [InlineData("Unrecognized command or argument 'listen'.", "silos", "listen")]
    [InlineData("Required command was not provided.")]
    public async Task AMistake_IsToldWithTheHelpThatFits(string words, params string[] args)
    {
        var error = new StringWriter();

        Assert.Equal(CliException.Usage, await CommandLine.RunAsync(args, Stream.Null, error, Cancel));

        Assert.StartsWith(words, error.ToString(), StringComparison.Ordinal);
        Assert.Matches(@"See: \./vg [a-z ]*--help\n$", error.ToString());
    }

    [Theory]
    [InlineData("No server answers at", 3, "load", "--calls", "1")]
    [InlineData("No server answers at", 3, "silos")]
    [InlineData("No server answers at", 3, "talk", "--text", "hi")]
    [InlineData("cannot be made", 2, "talk", "--text", "hi", "--out", "/dev/null/x")]
    [InlineData("The API key is no key", 2, "silos", "--key", "a\nb")]
    [InlineData("The API key is no key", 2, "silos", "--key", "schlüssel")]
    public async Task WhoCannotBeServed_IsToldWhy(string words, int exitCode, params string[] args)
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));     // taken, and not listening
        string[] key = args.Contains("--key") ? [] : ["--key", FakeCallServer.Key];
        var file = await recordings.WriteWavAsync("speech.wav", FakeCallServer.RateHz, Recordings.Tone(FakeCallServer.RateHz, 0.1));

        var (code, error) = await RunAsync([.. args[0] == "load" ? ["load", file, .. args[1..]] : args, .. key, "--url", $"http://{nobody.LocalEndPoint}"]);

        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.Equal(exitCode, code);
    }

    [Fact]
    public async Task AServerThatRefusesTheKey_IsExitCode3_OfLoadToo()
    {
        await using var server = await FakeCallServer.StartAsync();
        var file = await recordings.WriteWavAsync("speech.wav", FakeCallServer.RateHz, Recordings.Tone(FakeCallServer.RateHz, 0.1));

        var (code, error) = await RunAsync("load", file, "--calls", "2", "--key", "wrong", "--url", server.Url.ToString());

        Assert.Contains("refuses the API key (403)", error, StringComparison.Ordinal);
        Assert.Contains("--key or VOICEGRAINS_API_KEY", error, StringComparison.Ordinal);
        Assert.Equal(CliException.NoServer, code);
    }

    [Fact]
    public async Task AServerWithoutTls_IsNoServerUnderHttps()
    {
        await using var server = await FakeCallServer.StartAsync();

        var (code, error) = await RunAsync("silos", "--key", FakeCallServer.Key, "--url", $"https://{server.Url.Authority}");

        Assert.Contains("cannot be reached over TLS", error, StringComparison.Ordinal);
        Assert.DoesNotContain("see inner exception", error, StringComparison.Ordinal);
        Assert.Equal(CliException.NoServer, code);
    }

    [Fact]
    public void SeveralNumbers_AreReadOneByOne()
    {
        var option = NumberOption.Wholes("--calls", "", 1, 10_000, [50, 100]);
        var command = new RootCommand { option };

        Assert.Equal([50, 100], command.Parse([]).GetRequiredValue(option));
        Assert.Equal([1, 10_000], command.Parse(["--calls", "1", "10000"]).GetRequiredValue(option));
        Assert.Equal("--calls must be whole numbers from 1 to 10000, not '0'.", Assert.Single(command.Parse(["--calls", "1", "0"]).Errors).Message);
        Assert.Equal("--calls must be whole numbers from 1 to 10000, not 'x'.", Assert.Single(command.Parse(["--calls", "x"]).Errors).Message);
    }

    private static async Task<(int ExitCode, string Error)> RunAsync(params string[] args)
    {
        var error = new StringWriter();
        return (await CommandLine.RunAsync(args, Stream.Null, error, Cancel), error.ToString());
    }
}
