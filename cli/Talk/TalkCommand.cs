using System.CommandLine;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Talk;

/// <summary><c>vg talk</c>: have a conversation from recordings, typed messages or the microphone.</summary>
internal static class TalkCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "WAV files, or .raw with 16 kHz s16le mono; each is one turn of the caller.", Arity = ArgumentArity.ZeroOrMore };
        var text = new Option<string[]>("--text") { Description = "A message to type, after the files; may be repeated.", AllowMultipleArgumentsPerToken = false };
        var mic = new Option<bool>("--mic") { Description = "Speak with this machine's microphone and loudspeaker (arecord, aplay)." };
        var agent = new Option<string?>("--agent") { Description = "Id of the agent to talk to. Without one a plain call is made." };
        var prompt = new Option<string?>("--prompt") { Description = "System prompt of a plain call." };
        var voice = new Option<string?>("--voice") { Description = "Voice of a plain call." };
        var model = new Option<string?>("--model") { Description = "Model of a plain call." };
        var agentFirst = new Option<bool>("--agent-first") { Description = "Let the agent greet first. An agent's own template decides otherwise." };
        var bargeIn = NumberOption.Real("--barge-in", "Interrupt: speak the next recording so many seconds after the agent begins.", 0, 3600);
        var limit = NumberOption.Real("--turn-limit", "Seconds to wait for an answer.", 0.1, 3600, 30);
        var rate = NumberOption.Whole("--rate", "Sample rate of the call in Hz.", 8_000, 48_000, 16_000);
        var buffer = NumberOption.Whole("--buffer", "How far ahead the server may send, in ms; its default is 60.", 0, 60_000);
        var output = new Option<string?>("--out") { Description = "Folder for agent.wav and mix.wav; default vg-calls/CALL-ID." };
        var record = new Option<bool>("--record") { Description = "Have the server record the call, too." };
        var verbose = new Option<bool>("--verbose") { Description = "Print every message of the server." };
        var server = new ServerOptions();

        var command = new Command("talk", "Talk to an agent and print the conversation as it happens.")
        {
            files, text, mic, agent, prompt, voice, model, agentFirst, bargeIn, limit, rate, buffer, output, record, verbose,
        };
        server.AddTo(command);
        command.Validators.Add(given =>
        {
            var hasTurns = given.GetResult(files) is { Tokens.Count: > 0 } || IsGiven(text);
            if (hasTurns == IsGiven(mic))
                given.AddError(hasTurns ? "--mic goes without files and texts." : "Name a FILE to speak, or use --text or --mic.");
            if (IsGiven(agent) && (IsGiven(prompt) || IsGiven(voice) || IsGiven(model)))
                given.AddError("--prompt, --voice and --model are the agent's own when --agent is given.");

            bool IsGiven(Option option) => given.GetResult(option) is { Implicit: false };       // its value may be missing: asking for that would throw
        });
        command.SetAction((given, cancellationToken) => new TalkSession(new TalkOptions
        {
            Server = server.From(given),
            Call = new CallRequest
            {
                AgentId = given.GetValue(agent),
                Prompt = given.GetValue(prompt),
                Voice = given.GetValue(voice),
                Model = given.GetValue(model),
                AgentSpeaksFirst = given.GetValue(agentFirst) ? true : given.GetValue(agent) is null ? given.GetValue(mic) : null,
                SampleRateHz = given.GetRequiredValue(rate)!.Value,
                ClientBufferMs = given.GetValue(buffer),
                Record = given.GetValue(record),
            },
            Files = given.GetValue(files) ?? [],
            Texts = given.GetValue(text) ?? [],
            UseMicrophone = given.GetValue(mic),
            BargeIn = given.GetValue(bargeIn) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            TurnLimit = TimeSpan.FromSeconds(given.GetRequiredValue(limit)!.Value),
            Out = given.GetValue(output),
            IsVerbose = given.GetValue(verbose),
        }, Console.Out).RunAsync(cancellationToken));
        return command;
    }
}
