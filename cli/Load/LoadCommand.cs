using System.CommandLine;
using System.Globalization;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Load;

/// <summary><c>vg load</c>: many callers at once, and what they get.</summary>
internal static class LoadCommand
{
    /// <summary>"Go forward ten meters", from Debian's pocketsphinx-testdata.</summary>
    public const string Speech = "/usr/share/pocketsphinx/test/data/goforward.raw";

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "What each caller says, again and again.", DefaultValueFactory = _ => Speech };
        var calls = new Option<int>("--calls") { Description = "Calls at the same time.", DefaultValueFactory = _ => 50 };
        var seconds = new Option<double>("--seconds") { Description = "How long to measure when all are up.", DefaultValueFactory = _ => 30 };
        var ramp = new Option<double>("--ramp") { Description = "Calls to start per second.", DefaultValueFactory = _ => 10 };
        var pause = new Option<double>("--pause") { Description = "Seconds of silence after each repetition.", DefaultValueFactory = _ => 7 };
        var pid = new Option<int?>("--pid") { Description = "The server's process, for its CPU and memory; default: the one that has the data folder." };
        var agent = new Option<string?>("--agent") { Description = "Id of the agent to call." };
        var model = new Option<string?>("--model") { Description = "Model of plain calls." };
        var voice = new Option<string?>("--voice") { Description = "Voice of plain calls." };
        var prompt = new Option<string?>("--prompt") { Description = "System prompt of plain calls." };
        var rate = new Option<int>("--rate") { Description = "Sample rate in Hz.", DefaultValueFactory = _ => 16_000 };
        var json = new Option<bool>("--json") { Description = "Print the report as one line of JSON." };
        var server = new ServerOptions();
        Require(calls, value => value is >= 1 and <= 10_000, "--calls must be between 1 and 10000.");
        Require(seconds, value => value is >= 1 and <= 86_400, "--seconds must be between 1 and 86400.");
        Require(ramp, value => value is > 0 and <= 1_000, "--ramp must be above 0 and at most 1000.");
        Require(pause, value => value is >= 0 and <= 600, "--pause must be between 0 and 600.");
        Require(rate, value => value is >= 8_000 and <= 48_000, "--rate must be between 8000 and 48000 Hz.");

        var command = new Command("load", "Open many calls at once and measure pacing, latency and the server's cost.")
        {
            file, calls, seconds, ramp, pause, pid, agent, model, voice, prompt, rate, json,
        };
        server.AddTo(command);
        command.SetAction(async (given, cancellationToken) =>
        {
            var report = await new LoadSession(new LoadOptions
            {
                Server = server.From(given),
                Call = new CallRequest
                {
                    AgentId = given.GetValue(agent), Model = given.GetValue(model), Voice = given.GetValue(voice), Prompt = given.GetValue(prompt),
                    AgentSpeaksFirst = given.GetValue(agent) is null ? false : null, SampleRateHz = given.GetValue(rate),
                },
                File = given.GetValue(file)!,
                Calls = given.GetValue(calls),
                Duration = TimeSpan.FromSeconds(given.GetValue(seconds)),
                RampPerSecond = given.GetValue(ramp),
                Pause = TimeSpan.FromSeconds(given.GetValue(pause)),
                ProcessId = given.GetValue(pid) ?? OwnerOfDataFolder(),
            }).RunAsync(cancellationToken);
            report.Print(Console.Out, given.GetValue(json));
            return report.IsWhole ? 0 : CliException.CallFailed;
        });
        return command;
    }

    private static void Require<T>(Option<T> option, Predicate<T> isRight, string rule) => option.Validators.Add(given =>
    {
        if (given.GetValueOrDefault<T>() is { } value && !isRight(value))
            given.AddError(rule);
    });

    /// <summary>A silo writes its process id into the folder that it holds.</summary>
    private static int? OwnerOfDataFolder()
    {
        var path = Path.Combine(Environment.GetEnvironmentVariable("VOICEGRAINS_DATA") ?? ".data", "pid");
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out var id) && Directory.Exists($"/proc/{id}") ? id : null;
    }
}
