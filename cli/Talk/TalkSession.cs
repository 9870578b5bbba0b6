using System.Diagnostics;
using System.Text.Json.Nodes;
using VoiceGrains.Cli.Audio;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Talk;

/// <summary>One conversation from the caller's side: create, join, speak each turn, wait for its answer, leave, save, sum up.</summary>
internal sealed class TalkSession(TalkOptions options, TextWriter output)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan QuietFor = TimeSpan.FromMilliseconds(600);      // a pause between two sentences is no end of a turn
    private static readonly TimeSpan GreetingLimit = TimeSpan.FromSeconds(5);
    private int rate => options.Call.SampleRateHz;

    /// <returns>The exit code: 0 when every turn was answered.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (options.Out is { } stated) CallWav.Prepare(stated);
        var files = options.Files.Select(file => CallerAudio.Read(file, rate)).ToList();
        using var client = new CallClient(options.Server);
        using ICallerSource source = options.UseMicrophone ? new Microphone(rate) : new RecordingSource();
        using var speaker = options.UseMicrophone ? new Speaker(rate) : null;
        var created = await client.CreateAsync(options.Call, cancellationToken);
        using var socket = await CallSocket.JoinAsync(created.JoinUrl, cancellationToken);

        var start = Stopwatch.GetTimestamp();
        var printer = new ConversationPrinter(output, !Console.IsOutputRedirected, () => Stopwatch.GetElapsedTime(start));
        printer.Line("call", $"{created.CallId} joined ({rate} Hz)");
        var playback = new Playback(rate, start);
        var turns = new TurnTimer();
        var meter = files.Count > 0 ? new SpeechMeter(files.SelectMany(file => file.Samples).ToArray(), rate / 50) : new SpeechMeter();
        var pump = new CallerPump(socket, source, meter, rate, start);
        var view = new AgentView(printer, playback, turns, speaker, () => pump.LastSpeech, id => _ = socket.SendMessageAsync(NoSuchTool(id), CancellationToken.None),
            options.IsVerbose);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = socket.ReceiveAsync(view, CancellationToken.None);
        var sending = pump.RunAsync(ending.Token);
        var conversation = new Conversation(socket, source as RecordingSource, view, pump, turns, printer, receiving, options);
        var unanswered = await conversation.RunAsync(files, cancellationToken);

        await ending.CancelAsync();
        await sending;
        await socket.CloseAsync();
        await receiving.WaitAsync(TimeSpan.FromSeconds(3), CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var duration = Stopwatch.GetElapsedTime(start);

        var folder = options.Out ?? Path.Combine("vg-calls", created.CallId);
        await CallWav.SaveAsync(folder, pump.Spoken.ToArray(), playback.ToArray(), rate);
        await new TalkSummary(output).PrintAsync(client, created.CallId, duration, turns, playback.Underruns, folder);
        return unanswered == 0 ? 0 : CliException.CallFailed;
    }

    private static JsonObject NoSuchTool(string invocationId) => new()
    {
        ["type"] = "client_tool_result",
        ["invocationId"] = invocationId,
        ["errorType"] = "undefined",
        ["errorMessage"] = "vg talk implements no client tools.",
    };

    /// <summary>The caller's behaviour: when to speak and when to wait.</summary>
    private sealed class Conversation(
        CallSocket socket, RecordingSource? recordings, AgentView view, CallerPump pump, TurnTimer turns, ConversationPrinter printer, Task receiving,
        TalkOptions options)
    {
        /// <returns>How many turns got no answer.</returns>
        public async Task<int> RunAsync(List<CallerAudio> files, CancellationToken cancellationToken)
        {
            try
            {
                if (recordings is null)
                {
                    printer.Line("", "(speak; Ctrl-C ends the call)");
                    await receiving.WaitAsync(cancellationToken);
                    return 0;
                }
                return await SpeakAsync(files, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return 0;       // Ctrl-C: leave the call and sum up
            }
        }

        private async Task<int> SpeakAsync(List<CallerAudio> files, CancellationToken cancellationToken)
        {
            await WaitForGreetingAsync(cancellationToken);
            // To interrupt takes a second recording; with one it is spoken again.
            IEnumerable<CallerAudio> speeches = options.BargeIn is not null && files.Count == 1 ? [files[0], files[0]] : files;
            var unanswered = 0;
            var left = speeches.Count() + options.Texts.Count;
            foreach (var speech in speeches)
            {
                printer.Line("you", $"({speech.Name}, {speech.Duration.TotalSeconds:0.0} s)");
                var began = Stopwatch.GetTimestamp();
                await Task.WhenAny(recordings!.SayAsync(speech, cancellationToken), receiving);
                unanswered += await WaitForAnswerAsync(() => Math.Max(began, pump.LastSpeech), canInterrupt: --left > 0, cancellationToken) ? 0 : 1;
            }
            foreach (var text in options.Texts)
            {
                var typed = Stopwatch.GetTimestamp();
                printer.Line("typed", text);
                turns.Typed(typed);
                await socket.SendMessageAsync(new JsonObject { ["type"] = "user_text_message", ["text"] = text }, cancellationToken);
                unanswered += await WaitForAnswerAsync(() => typed, canInterrupt: --left > 0, cancellationToken) ? 0 : 1;
            }
            return unanswered;
        }

        /// <summary>Lets an agent that speaks first finish.</summary>
        private async Task WaitForGreetingAsync(CancellationToken cancellationToken)
        {
            if (options.Call.AgentSpeaksFirst == false)
                return;
            if (await UntilAsync(() => view.LastAnswer > 0, GreetingLimit, cancellationToken))
                await UntilQuietAsync(options.TurnLimit, cancellationToken);
        }

        private async Task<bool> WaitForAnswerAsync(Func<long> asked, bool canInterrupt, CancellationToken cancellationToken)
        {
            if (!await UntilAsync(() => view.LastAnswer > asked() && view.State != "thinking", options.TurnLimit, cancellationToken))
            {
                printer.Line("", receiving.IsCompleted ? $"(the call ended{(socket.CloseReason is { Length: > 0 } why ? $": {why}" : "")})" : $"(no answer within {options.TurnLimit.TotalSeconds:0} s)");
                return false;
            }
            if (options.BargeIn is { } bargeIn && canInterrupt)
            {
                await UntilAsync(() => view.SpeakingSince is > 0 and var since && Stopwatch.GetElapsedTime(since) >= bargeIn, options.TurnLimit, cancellationToken);
                return true;
            }
            await UntilQuietAsync(options.TurnLimit, cancellationToken);
            return true;
        }

        private async Task UntilQuietAsync(TimeSpan limit, CancellationToken cancellationToken)
        {
            var quietSince = 0L;
            await UntilAsync(() =>
            {
                quietSince = !view.IsQuiet ? 0 : quietSince == 0 ? Stopwatch.GetTimestamp() : quietSince;
                return quietSince != 0 && Stopwatch.GetElapsedTime(quietSince) >= QuietFor;
            }, limit, cancellationToken);
        }

        private async Task<bool> UntilAsync(Func<bool> condition, TimeSpan limit, CancellationToken cancellationToken)
        {
            for (var began = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(Poll, cancellationToken))
            {
                if (receiving.IsCompleted || Stopwatch.GetElapsedTime(began) > limit)
                    return false;
            }
            return true;
        }
    }
}
