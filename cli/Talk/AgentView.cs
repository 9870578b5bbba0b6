using System.Diagnostics;
using System.Text.Json;
using VoiceGrains.Cli.Audio;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Talk;

/// <summary>What the caller sees and hears of the agent: plays its audio, prints its messages, times its answers.</summary>
internal sealed class AgentView(
    ConversationPrinter printer, Playback playback, TurnTimer turns, Speaker? speaker, Func<long> lastSpeech, Action<string> toolInvoked, bool isVerbose)
    : ICallListener
{
    private static readonly TimeSpan NewSentenceAfter = TimeSpan.FromMilliseconds(400);
    private long lastAudio;
    private long lastSound;
    private long lastText;
    private long speakingSince;
    private bool isMidSentence;
    private volatile string state = "";

    /// <summary>The last <c>state</c> message; empty before the first.</summary>
    public string State => state;

    /// <summary>When the agent last did something to be heard or read; 0 for never.</summary>
    public long LastAnswer => Math.Max(Volatile.Read(ref lastSound), Volatile.Read(ref lastText));

    /// <summary>When the sentence being heard began; 0 when the agent is quiet.</summary>
    public long SpeakingSince => Volatile.Read(ref speakingSince);

    /// <summary>Nothing more is to be expected without a further turn of the caller.</summary>
    public bool IsQuiet => State is "listening" or "idle" && !playback.IsPlaying;

    public void OnAudio(ReadOnlySpan<short> pcm, long timestamp)
    {
        if (Stopwatch.GetElapsedTime(lastAudio, timestamp) > NewSentenceAfter)
            EndSentence();
        playback.Play(pcm, timestamp, isMidSentence);
        speaker?.Play(pcm);
        lastAudio = timestamp;
        if (!SpeechMeter.IsAudible(pcm))
            return;
        Volatile.Write(ref lastSound, timestamp);
        if (isMidSentence)
            return;
        isMidSentence = true;
        Volatile.Write(ref speakingSince, timestamp);
        if (turns.Answered(lastSpeech(), timestamp) is { } latency)
            printer.Line("", $"({latency.TotalMilliseconds:0} ms from your last word to the agent's first sound)");
    }

    public void OnMessage(string type, JsonElement message, long timestamp)
    {
        switch (type)
        {
            case "state":
                state = Text(message, "state");
                if (state != "speaking")
                    EndSentence();
                printer.Line("state", state);
                break;
            case "transcript":
                OnTranscript(message, timestamp);
                break;
            case "playback_clear_buffer":
                playback.Clear(timestamp);
                EndSentence();
                printer.Line("", "(interrupted: the rest of the agent's sentence is dropped)");
                break;
            case "client_tool_invocation" or "data_connection_tool_invocation":
                printer.Line("tool", $"{Text(message, "toolName")} {Text(message, "parameters")}: this client has no such tool and says so");
                toolInvoked(Text(message, "invocationId"));
                break;
            case "invoking_tool":
                printer.Line("tool", $"{Text(message, "toolName")} {Text(message, "parameters")}…");
                break;
            case "tool_used":
                printer.Line("tool", $"{Text(message, "toolName")} done {Text(message, "result")}".TrimEnd());
                break;
            case "call_event" when Text(message, "eventType") == "turn_latency":
                printer.Line("", $"({Text(message, "text")} {Text(message, "extras")})");
                break;
            case "call_event" when isVerbose || Text(message, "severity") is "warning" or "error":
                printer.Line("event", $"{Text(message, "severity")} {Text(message, "eventType")}: {Text(message, "text")} {Text(message, "extras")}".TrimEnd());
                break;
            case "call_started" or "pong" or "call_event" when !isVerbose:
                break;
            case "user_started_speaking" or "user_stopped_speaking" when !isVerbose:
                break;
            default:
                printer.Line(type, message.GetRawText());
                break;
        }
    }

    private void OnTranscript(JsonElement message, long timestamp)
    {
        var role = Text(message, "role");
        if (role == "agent")
            Volatile.Write(ref lastText, timestamp);
        printer.Transcript(role, message.TryGetProperty("ordinal", out var ordinal) ? ordinal.GetInt32() : 0,
            TextOrNull(message, "text"), TextOrNull(message, "delta"), message.TryGetProperty("final", out var final) && final.ValueKind == JsonValueKind.True);
    }

    private void EndSentence()
    {
        isMidSentence = false;
        Volatile.Write(ref speakingSince, 0);
    }

    private static string Text(JsonElement message, string name) => TextOrNull(message, name) ?? "";

    private static string? TextOrNull(JsonElement message, string name) => !message.TryGetProperty(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };
}
