using System.Diagnostics;
using System.Threading.Channels;
using VoiceGrains.Grains.Calls.Interruptions;
using VoiceGrains.Media;
using VoiceGrains.Providers;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Speaks utterances one after the other: synthesizer → resampler → playout → medium and recording. A single pump task writes, the pacer
/// sends, and the conversation's loop clears; what was heard comes back to the loop as events.
/// </summary>
internal sealed class SpeechOutput : IPlayoutSink, IPaced, IAsyncDisposable
{
    // Enough to ride out a slow synthesizer, little enough that an interruption throws away little work.
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(10);
    // Quick enough to be heard as a reaction, slow enough not to click; back a little more gently.
    private static readonly TimeSpan SofteningRamp = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan RestoringRamp = TimeSpan.FromMilliseconds(80);
    private const int TicksPerProgress = 5;

    private readonly IMediaPort _port;
    private readonly AgentTrack? _recording;
    private readonly AgentTrack? _copy;
    private readonly TimeProvider _clock;
    private readonly ChannelWriter<ConversationEvent> _events;
    private readonly Playout _playout;
    private readonly Channel<Job> _jobs = Channel.CreateUnbounded<Job>(new() { SingleReader = true });
    private readonly Dictionary<int, Utterance> _spoken = [];
    private readonly Lock _spokenGate = new();
    private readonly Task _pump;
    private readonly IDisposable _pacing;
    private volatile bool _isPlaying;
    private int _ticks;

    /// <param name="copy">Gets what is heard as well.</param>
    public SpeechOutput(IMediaPort port, Pacer pacer, StereoRecorder? recorder, TimeProvider clock, ChannelWriter<ConversationEvent> events, StereoSound? copy = null)
    {
        (_port, _clock, _events) = (port, clock, events);
        _playout = new Playout(port.OutputSampleRateHz, Ahead, clock)
        {
            Sink = this,
            OutputBuffer = port.OutputBuffer,
            CanClear = port.CanClear,
        };
        if (recorder is not null) _recording = new AgentTrack(recorder.Sound, port.OutputSampleRateHz, _playout.OriginTimestamp);
        if (copy is not null) _copy = new AgentTrack(copy, port.OutputSampleRateHz, _playout.OriginTimestamp);
        _pump = PumpAsync();
        _pacing = pacer.Add(this);
    }

    /// <summary>The call's trace, for words that belong to no answer.</summary>
    public ActivityContext Parent { get; set; }

    /// <summary>Speaks <paramref name="utterance"/> after those queued before.</summary>
    public void Enqueue(Utterance utterance, SpeakingVoices voices) => _jobs.Writer.TryWrite(new(utterance, voices));

    /// <summary>How much of <paramref name="utterance"/> the far end has played; zero if it is not the one playing.</summary>
    public double HeardSeconds(Utterance utterance)
    {
        var position = _playout.Position(_clock.GetTimestamp());
        return position.UtteranceId == utterance.Id ? (double)position.Samples / _playout.SampleRateHz : 0;
    }

    /// <summary>Lowers the agent's voice at once, or makes it stand still; <see cref="Restore"/> lets it go on with the next sample.</summary>
    public void Soften(InterruptionSettings settings)
    {
        if (settings.Pauses) _playout.Pause(SofteningRamp, _clock.GetTimestamp());
        else _playout.Fade((float)settings.DuckVolume, SofteningRamp, _clock.GetTimestamp());
    }

    public void Restore() => _playout.Fade(1, RestoringRamp, _clock.GetTimestamp());

    /// <summary>Silences the agent at once, here and at the far end. Returns the utterance that was heard in part, and how much of it.</summary>
    public (int UtteranceId, double HeardSeconds) Clear()
    {
        var samples = _playout.Clear(_clock.GetTimestamp(), out var utteranceId);
        _isPlaying = false;
        lock (_spokenGate) _spoken.Clear();     // all were dropped: nothing more will be told of them
        return (utteranceId, (double)samples / _playout.SampleRateHz);
    }

    void IPaced.Tick(long timestamp)
    {
        _playout.Tick(timestamp);
        if (!_isPlaying || ++_ticks < TicksPerProgress) return;
        _ticks = 0;
        _events.TryWrite(new(EventKind.Progress));
    }

    void IPaced.OnTickFailed(Exception exception) => _events.TryWrite(new(EventKind.End, new EndRequest(GrainInterfaces.Calls.EndReason.SystemError)));

    bool IPlayoutSink.TrySend(ReadOnlySpan<short> pcm, long playSamplePosition)
    {
        if (!_port.TrySendAudio(pcm)) return false;
        _recording?.Write(pcm, playSamplePosition);
        _copy?.Write(pcm, playSamplePosition);
        return true;
    }

    void IPlayoutSink.OnCleared(long playSamplePosition)
    {
        if (!_port.CanClear) return;
        _port.ClearAudio();
        _recording?.Truncate(playSamplePosition);
        _copy?.Truncate(playSamplePosition);
    }

    void IPlayoutSink.OnUtteranceStarted(int utteranceId)
    {
        _isPlaying = true;
        Post(EventKind.UtteranceStarted, utteranceId);
    }

    void IPlayoutSink.OnUtterancePlayed(int utteranceId)
    {
        _isPlaying = false;
        Post(EventKind.UtterancePlayed, utteranceId);
        lock (_spokenGate) _spoken.Remove(utteranceId);
    }

    void IPlayoutSink.OnUnderrun(int utteranceId) => Post(EventKind.Underrun, utteranceId);

    void IPlayoutSink.OnMark(int utteranceId, int markId) { }

    private void Post(EventKind kind, int utteranceId)
    {
        Utterance? utterance;
        lock (_spokenGate) _spoken.TryGetValue(utteranceId, out utterance);
        if (utterance is not null) _events.TryWrite(new(kind, utterance));
    }

    private async Task PumpAsync()
    {
        while (await _jobs.Reader.WaitToReadAsync())
        {
            while (_jobs.Reader.TryRead(out var job))
            {
                if (!job.Utterance.Cancellation.IsCancellationRequested) await SpeakAsync(job.Utterance, job.Voices);
            }
        }
    }

    private async Task SpeakAsync(Utterance utterance, SpeakingVoices voices)
    {
        lock (_spokenGate) _spoken[utterance.Id] = utterance;
        try
        {
            _playout.BeginUtterance(utterance.Id);
            await new UtteranceSynthesis(utterance, voices, _playout, _clock, _events, utterance.Answer?.Span?.Context ?? Parent).RunAsync();
        }
        catch (Exception exception)
        {
            var defect = new ProviderException("synthesizer", ProviderFault.Unavailable, $"The agent's words could not be spoken: {exception.GetType().Name}.", exception);
            _events.TryWrite(new(EventKind.SpeechFailed, new SpeechFailure(utterance, defect, IsNews: true, IsLost: true)));
        }
        _playout.EndUtterance(utterance.Id);
    }

    public async ValueTask DisposeAsync()
    {
        _pacing.Dispose();
        _jobs.Writer.TryComplete();
        _playout.Dispose();
        await _pump;
        _recording?.Dispose();
        _copy?.Dispose();
    }

    private readonly record struct Job(Utterance Utterance, SpeakingVoices Voices);
}
