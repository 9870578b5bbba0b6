using System.Diagnostics;
using System.Text.Json;
using VoiceGrains.Cli.Audio;
using VoiceGrains.Cli.Calls;
using VoiceGrains.Cli.Talk;

namespace VoiceGrains.Cli.Load;

/// <summary>One of many callers: sends the loop when the clock says so, measures what comes back.</summary>
internal sealed class LoadCall : ICallListener, IDisposable
{
    private static readonly TimeSpan NewSentenceAfter = TimeSpan.FromMilliseconds(400);
    private readonly Lock gate = new();
    private readonly CallSocket socket;
    private readonly SpeechLoop loop;
    private readonly PacingMeter pacing;
    private readonly TurnTimer turns = new();
    private readonly List<double> answersMs = [];
    private readonly List<KeyValuePair<string, double>> serverPartsMs = [];
    private Task sending = Task.CompletedTask;
    private int next;
    private int owed;
    private long lastSpeech;
    private long lastAudio;
    private long userStopped;
    private bool isMidSentence;

    /// <param name="socket">Joined.</param>
    /// <param name="loop">What to say.</param>
    /// <param name="startFrame">Where in the loop to begin, so that callers do not speak in chorus.</param>
    /// <param name="sampleRateHz">Of the audio that comes back.</param>
    /// <param name="clientBuffer">How far ahead the server may send.</param>
    public LoadCall(CallSocket socket, SpeechLoop loop, int startFrame, int sampleRateHz, TimeSpan clientBuffer)
    {
        (this.socket, this.loop, next) = (socket, loop, startFrame);
        pacing = new PacingMeter(sampleRateHz, clientBuffer);
        Receiving = socket.ReceiveAsync(this, CancellationToken.None);
    }

    /// <summary>Completes when the server ends the call.</summary>
    public Task Receiving { get; }

    /// <summary>Ticks at which the connection had not yet taken the audio before.</summary>
    public int SendStalls { get; private set; }

    /// <summary>Called every 20 ms by one thread. Never blocks: what the connection does not take now is sent with the next tick.</summary>
    public void Tick()
    {
        owed++;
        if (!sending.IsCompleted)
        {
            SendStalls++;
            return;
        }
        for (; owed > 0 && sending.IsCompleted; owed--)
        {
            if (next % loop.Frames == loop.LastSpeechFrame)
                Volatile.Write(ref lastSpeech, Stopwatch.GetTimestamp());
            sending = socket.SendAudioAsync(loop.Frame(next++), CancellationToken.None);
        }
    }

    public void OnAudio(ReadOnlySpan<short> pcm, long timestamp)
    {
        lock (gate)
        {
            if (isMidSentence && Stopwatch.GetElapsedTime(lastAudio, timestamp) > NewSentenceAfter)
                EndSentence();
            lastAudio = timestamp;
            if (userStopped != 0)
                answersMs.Add(Stopwatch.GetElapsedTime(userStopped, timestamp).TotalMilliseconds);
            userStopped = 0;
            if (!isMidSentence && !SpeechMeter.IsAudible(pcm))
                return;
            if (!isMidSentence)
                turns.Answered(Volatile.Read(ref lastSpeech), timestamp);
            isMidSentence = true;
            pacing.Arrived(pcm.Length, timestamp);
        }
    }

    public void OnMessage(string type, JsonElement message, long timestamp)
    {
        lock (gate)
        {
            switch (type)
            {
                // Sent when the endpoint delay is over. Amid an agent's sentence the next sound would be that sentence, not the answer.
                case "user_stopped_speaking": userStopped = isMidSentence ? 0 : timestamp; break;
                case "playback_clear_buffer": EndSentence(); break;
                case "state" when Text(message, "state") != "speaking": EndSentence(); break;
                case "call_event" when Text(message, "eventType") == "turn_latency": AddServerParts(message); break;
            }
        }
    }

    /// <summary>Measures from now on only.</summary>
    public void StartMeasuring()
    {
        lock (gate)
        {
            pacing.Reset();
            turns.Forget();
            answersMs.Clear();
            serverPartsMs.Clear();
            SendStalls = 0;
        }
    }

    /// <summary>Adds what was measured to a report.</summary>
    public void AddTo(LoadReport report)
    {
        lock (gate)
        {
            EndSentence();
            report.JitterMs.AddRange(pacing.JitterMs);
            report.TurnLatencyMs.AddRange(turns.Turns.Select(turn => turn.TotalMilliseconds));
            report.AnswerMs.AddRange(answersMs);
            foreach (var (part, milliseconds) in serverPartsMs)
            {
                if (!report.ServerPartsMs.TryGetValue(part, out var all))
                    report.ServerPartsMs[part] = all = [];
                all.Add(milliseconds);
            }
            report.Underruns += pacing.Underruns;
            report.AudioFrames += pacing.Frames;
            report.SendStalls += SendStalls;
            report.Dropped += Receiving.IsCompleted ? 1 : 0;
        }
    }

    public Task CloseAsync() => socket.CloseAsync();

    public void Dispose() => socket.Dispose();

    private void EndSentence()
    {
        isMidSentence = false;
        pacing.EndSentence();
    }

    private void AddServerParts(JsonElement message)
    {
        if (!message.TryGetProperty("extras", out var parts) || parts.ValueKind != JsonValueKind.Object)
            return;
        foreach (var part in parts.EnumerateObject().Where(part => part.Value.ValueKind == JsonValueKind.Number))
            serverPartsMs.Add(new(part.Name, part.Value.GetDouble()));
    }

    private static string? Text(JsonElement message, string name)
        => message.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
