using System.Diagnostics.CodeAnalysis;

namespace VoiceGrains.Media;

/// <summary>
/// The outbound sound of one call: utterances go in as fast as they are made, frames come out in step with real time, never further ahead
/// of it than <see cref="OutputBuffer"/>. It models what the far end has played and reports by that, so that "heard" means heard, not sent.
/// </summary>
/// <remarks>
/// One producer writes, one pacer ticks, the conversation clears: all may be different threads. A private lock orders them; it is held for
/// a frame's send or a copy of at most 8 K samples and is never shared between calls. Because sending happens inside it, no sample queued
/// before <see cref="Clear(long)"/> is sent after it returned.
/// </remarks>
public sealed partial class Playout : IPaced, IDisposable
{
    private const int FramesPerSecond = 50;
    private const int MaxFramesPerTick = 50;            // fills a 30 s client buffer in 0.3 s without one call holding up its pacer thread
    private readonly Lock _gate = new();
    private readonly SampleClock _clock;
    private readonly SampleQueue _queue;
    private readonly Queue<Utterance> _utterances = [];     // begun, not yet played
    private readonly short[] _scratch;
    private readonly int _frameSamples;
    private PlaybackClock _farEnd;
    private long _maxAhead;
    private long _steadyAhead;                              // once the far end's buffer was filled
    private Utterance? _latest;                             // the last one begun, for marks; null when it was cleared
    private Utterance? _lastPlayed;
    private PlayoutPosition _rest = new(-1, 0);             // the answer while no utterance is queued
    private bool _isDisposed;

    /// <param name="sampleRateHz">8,000 to 48,000.</param>
    /// <param name="maxBuffered">How much unsent sound is held before <see cref="WriteAsync(ReadOnlyMemory{short}, CancellationToken)"/> waits: 20 ms to 120 s.</param>
    /// <param name="clock">Gives the unit of timestamps and the default origin; null is the system's.</param>
    public Playout(int sampleRateHz, TimeSpan maxBuffered, TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRateHz, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRateHz, 48_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBuffered, TimeSpan.FromMilliseconds(20));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxBuffered, TimeSpan.FromSeconds(120));
        clock ??= TimeProvider.System;
        SampleRateHz = sampleRateHz;
        _clock = new SampleClock(sampleRateHz, clock.TimestampFrequency);
        _frameSamples = sampleRateHz / FramesPerSecond;
        _scratch = new short[_frameSamples];
        _queue = new SampleQueue((int)_clock.ToSamples(maxBuffered));
        OriginTimestamp = clock.GetTimestamp();
        OutputBuffer = TimeSpan.FromMilliseconds(60);
    }

    public required IPlayoutSink Sink { private get; init; }

    public int SampleRateHz { get; }

    /// <summary>How far ahead of real time frames are sent. Default 60 ms. Less than a frame (20 ms) acts as one; below 30 ms frames can come late.</summary>
    public TimeSpan OutputBuffer
    {
        get;
        init
        {
            field = value;
            _maxAhead = Math.Max(_frameSamples, _clock.ToSamples(value));
            // Frames would be due exactly at a tick, where a tick a little early or late decides between this one and the next, 10 ms on.
            // A quarter of a frame less makes them due between two ticks, so that they leave as evenly as the pacer ticks.
            _steadyAhead = _maxAhead >= 2 * _frameSamples ? _maxAhead - _frameSamples / 4 : _maxAhead;
            _queue.KeepRead((int)_maxAhead + _frameSamples);
        }
    }

    /// <summary>Whether the far end drops unplayed sound on a clear. Where it cannot, what was sent counts as played. Default true.</summary>
    public bool CanClear { get; init; } = true;

    /// <summary>Zero of the play positions given to the sink. Default: when this object was made.</summary>
    public long OriginTimestamp
    {
        get;
        [MemberNotNull(nameof(_farEnd))]
        init
        {
            field = value;
            _farEnd = new PlaybackClock(_clock, value);
        }
    }

    /// <summary>Unsent sound.</summary>
    public TimeSpan Buffered
    {
        get
        {
            lock (_gate)
                return TimeSpan.FromSeconds((double)_queue.Count / SampleRateHz);
        }
    }

    /// <summary>Sends what is due and reports what was played.</summary>
    public void Tick(long timestamp)
    {
        lock (Enter())
        {
            if (_isDisposed)
                return;
            Report(_farEnd.Played(timestamp));
            ReportUnderrun(timestamp);
            Send(timestamp);
            Report(_farEnd.Played(timestamp));
        }
    }

    /// <summary>What the far end has played by <paramref name="now"/>.</summary>
    public PlayoutPosition Position(long now)
    {
        lock (_gate)
            return PositionAt(_farEnd.Played(now));
    }

    /// <summary>Played samples of the current utterance; see <see cref="PlayoutPosition"/> for which that is.</summary>
    public long PlayedSamples(long now) => Position(now).Samples;

    /// <summary>
    /// Drops all that was not sent and, where the far end can, all that was not played. First reports what was played up to now.
    /// Writes return false until the next <see cref="BeginUtterance"/>. Ends with <see cref="IPlayoutSink.OnCleared"/>.
    /// </summary>
    /// <returns>Played samples of the current utterance, which <see cref="Position"/> goes on to tell. Repeating it changes nothing.</returns>
    public long Clear(long now) => Clear(now, out _);

    /// <summary>As <see cref="Clear(long)"/>, and tells which utterance was the current one; -1 before the first.</summary>
    public long Clear(long now, out int utteranceId)
    {
        lock (Enter())
        {
            var played = CanClear ? _farEnd.Played(now) : _farEnd.Sent;
            Report(played);
            _rest = PositionAt(played);
            Drop();
            Sink.OnCleared(_clock.ToSamples(Math.Max(0, now - OriginTimestamp)));
            utteranceId = _rest.UtteranceId;
            return _rest.Samples;
        }
    }

    /// <summary>Drops everything without a report; later calls do nothing.</summary>
    public void Dispose()
    {
        lock (Enter())
        {
            _isDisposed = true;
            Drop();
        }
    }

    private Lock Enter() =>
        _gate.IsHeldByCurrentThread ? throw new InvalidOperationException("A playout's sink must not call back into it.") : _gate;

    private void Send(long now)
    {
        for (var frames = 0; frames < MaxFramesPerTick && TryNextFrame(now, out var utterance, out var samples); frames++)
        {
            var pcm = _queue.Peek(samples, _scratch);
            if (!_gain.IsNeutral(_farEnd.Sent))
                pcm = _gain.Apply(pcm, _scratch, _farEnd.Sent);
            if (!Sink.TrySend(pcm, _farEnd.PlayPosition(now)))
                break;
            _queue.Skip(samples);
            _farEnd.Send(samples, now);
            utterance.IsStalled = false;
        }
        _queue.Forget(CanClear ? _farEnd.Played(now) : _farEnd.Sent);
        if (_latest is { Wanted: > 0 } waiting && _queue.Capacity - _queue.Count >= waiting.Wanted)
            waiting.Wake();
    }

    private bool TryNextFrame(long now, [NotNullWhen(true)] out Utterance? utterance, out int samples)
    {
        var sent = _farEnd.Sent;
        samples = 0;
        utterance = null;
        foreach (var candidate in _utterances)
        {
            if (candidate.End <= sent)
                continue;
            utterance = candidate;
            break;
        }
        if (utterance is null)
            return false;
        samples = (int)Math.Min(_frameSamples, Math.Min(Math.Min(utterance.End, _queue.End), _pauseAt) - sent);
        // The last frame before an end is short, the others wait to be full.
        var isWhole = samples == _frameSamples || (samples > 0 && (sent + samples == utterance.End || sent + samples == _pauseAt));
        return isWhole && sent + samples - _farEnd.Played(now) <= (_farEnd.IsFilling(now) ? _maxAhead : _steadyAhead);
    }

    private void Report(long played)
    {
        if (_lastPlayed is not null)
            ReportMarks(_lastPlayed, long.MaxValue);    // added after it was over
        while (_utterances.TryPeek(out var utterance) && TryReport(utterance, played))
        {
            _utterances.Dequeue();
            _lastPlayed = utterance;
            _rest = new PlayoutPosition(utterance.Id, utterance.End - utterance.Start);
            Sink.OnUtterancePlayed(utterance.Id);
        }
    }

    /// <summary>True when the utterance is over.</summary>
    private bool TryReport(Utterance utterance, long played)
    {
        var isOver = utterance.End <= played;
        if (!utterance.IsStarted)
        {
            if (!isOver && (played < utterance.Start || _farEnd.Sent == utterance.Start))
                return false;
            utterance.IsStarted = true;
            Sink.OnUtteranceStarted(utterance.Id);
        }
        ReportMarks(utterance, isOver ? long.MaxValue : played - utterance.Start);
        return isOver;
    }

    private void ReportMarks(Utterance utterance, long sample)
    {
        while (utterance.TryTakeMark(sample, out var markId))
            Sink.OnMark(utterance.Id, markId);
    }

    private void ReportUnderrun(long now)
    {
        if (!_utterances.TryPeek(out var utterance) || !utterance.IsStarted || utterance.IsStalled || _farEnd.Sent == _pauseAt || _farEnd.DryFor(now) == 0)
            return;
        utterance.IsStalled = true;
        Sink.OnUnderrun(utterance.Id);
    }

    private PlayoutPosition PositionAt(long played) =>
        _utterances.TryPeek(out var utterance)
            ? new PlayoutPosition(utterance.Id, Math.Clamp(played, utterance.Start, Math.Max(utterance.Start, _farEnd.Sent)) - utterance.Start)
            : _rest;

    private void Drop()
    {
        _queue.DropUnread();
        if (CanClear)
            _farEnd.Clear();
        _utterances.Clear();
        ResetVolume();
        if (_latest is { } latest)
            latest.Wake();
        _latest = null;
    }
}
