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
        var calls = NumberOption.Whole("--calls", "Calls at the same time.", 1, 10_000, 50);
        var seconds = NumberOption.Real("--seconds", "How long to measure when all are up.", 1, 86_400, 30);
        var ramp = NumberOption.Real("--ramp", "Calls to start per second.", 0.01, 1_000, 10);
        var pause = NumberOption.Real("--pause", "Seconds of silence after each repetition.", 0, 600, 7);
        var pid = NumberOption.Whole("--pid", "The server's process, for its CPU and memory; default: the one that has the data folder.", 1, int.MaxValue);
        var agent = new Option<string?>("--agent") { Description = "Id of the agent to call." };
        var model = new Option<string?>("--model") { Description = "Model of plain calls." };
        var voice = new Option<string?>("--voice") { Description = "Voice of plain calls." };
        var prompt = new Option<string?>("--prompt") { Description = "System prompt of plain calls." };
        var rate = NumberOption.Whole("--rate", "Sample rate in Hz.", 8_000, 48_000, 16_000);
        var json = new Option<bool>("--json") { Description = "Print the report as one line of JSON." };
        var server = new ServerOptions();

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
                    AgentSpeaksFirst = given.GetValue(agent) is null ? false : null, SampleRateHz = given.GetRequiredValue(rate)!.Value,
                },
                File = given.GetValue(file)!,
                Calls = given.GetRequiredValue(calls)!.Value,
                Duration = TimeSpan.FromSeconds(given.GetRequiredValue(seconds)!.Value),
                RampPerSecond = given.GetRequiredValue(ramp)!.Value,
                Pause = TimeSpan.FromSeconds(given.GetRequiredValue(pause)!.Value),
                ProcessId = given.GetValue(pid) ?? OwnerOfDataFolder(),
            }).RunAsync(cancellationToken);
            report.Print(Console.Out, given.GetValue(json));
            return report.IsWhole ? 0 : CliException.CallFailed;
        });
        return command;
    }

    /// <summary>A silo writes its process id into the folder that it holds.</summary>
    private static int? OwnerOfDataFolder()
    {
        var path = Path.Combine(Environment.GetEnvironmentVariable("VOICEGRAINS_DATA") ?? ".data", "pid");
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out var id) && Directory.Exists($"/proc/{id}") ? id : null;
    }
}
