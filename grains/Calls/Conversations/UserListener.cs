using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>The user's side of the sound: to 16 kHz, to the recording, through voice activity detection, into turns. Used by the loop only.</summary>
internal sealed class UserListener : IDisposable
{
    public const int SampleRateHz = 16_000;
    private const int FrameSamples = 512;
    // A word's soft beginning lies before the first frame that counts as speech. More than this only feeds the recognizer silence, by which it
    // misjudges the voice that follows.
    private const int PrerollFrames = 5;

    private readonly CallClock _clock;
    private readonly StereoRecorder? _recorder;
    private readonly Resampler _resampler;
    private readonly FrameAccumulator _frames = new(FrameSamples);
    private readonly VoiceActivityDetector _vad = new();
    private TurnDetector _detector;
    private TurnDetector? _nextDetector;
    private readonly short[] _preroll = new short[PrerollFrames * FrameSamples];
    private readonly short[] _resampled;
    private readonly int _inputRateHz;
    private int _prerollFrames;

    public UserListener(int inputRateHz, VadSettings? settings, CallClock clock, StereoRecorder? recorder)
    {
        (_inputRateHz, _clock, _recorder) = (inputRateHz, clock, recorder);
        _resampler = new Resampler(inputRateHz, SampleRateHz);
        _resampled = new short[_resampler.MaxOutput(inputRateHz / 5)];
        _detector = new TurnDetector(settings);
    }

    /// <summary>The turn under way; null between turns.</summary>
    public UserTurn? Turn { get; private set; }

    /// <summary>Whether the turn under way, or just ended, was long enough to interrupt the agent.</summary>
    public bool Interrupts => _detector.Interrupts;

    /// <summary>Since the last speech of the turn under way.</summary>
    public TimeSpan Silence => _detector.Silence;

    public TimeSpan EndpointDelay => _detector.EndpointDelay;

    /// <summary>Makes a turn when one begins; set by the conversation.</summary>
    public required Func<UserTurn> BeginTurn { get; init; }

    /// <summary>Told after every frame that changed something.</summary>
    public required Action<TurnSignal, UserTurn> OnSignal { get; init; }

    /// <summary>Takes sound at the input rate, any length.</summary>
    public void Write(ReadOnlySpan<short> pcm)
    {
        _clock.AdvanceInput(TimeSpan.FromSeconds((double)pcm.Length / _inputRateHz));
        while (!pcm.IsEmpty)
        {
            var part = pcm[..Math.Min(pcm.Length, _inputRateHz / 5)];
            pcm = pcm[part.Length..];
            Hear(_resampled.AsSpan(0, _resampler.Process(part, _resampled)));
        }
    }

    /// <summary>Ends the turn under way as if silence had followed; for clients that stop sending instead of sending silence.</summary>
    public void EndTurn()
    {
        if (Turn is not { } turn) return;
        Span<short> silence = stackalloc short[FrameSamples];
        silence.Clear();
        for (var i = 0; i < 1000 && Turn == turn; i++) Apply(_detector.Process(0), silence);
    }

    /// <summary>Other settings from now on; a turn under way is heard to its end by those that it began with.</summary>
    public void Apply(VadSettings? settings)
    {
        _nextDetector = new TurnDetector(settings);
        if (Turn is null && !_detector.InTurn) UseNextDetector();
    }

    /// <summary>Forgets the turn under way.</summary>
    public void Reset()
    {
        _detector.Reset();
        Turn = null;
    }

    public void Dispose() => _resampler.Dispose();

    private void Hear(ReadOnlySpan<short> pcm)
    {
        _recorder?.WriteUser(pcm);
        while (_frames.TryPush(ref pcm, out var frame)) Apply(_detector.Process(_vad.Process(frame)), frame);
    }

    private void Apply(TurnSignal signal, ReadOnlySpan<short> frame)
    {
        if (signal.HasFlag(TurnSignal.Started))
        {
            Turn = BeginTurn();
            Turn.Write(_preroll.AsSpan(0, _prerollFrames * FrameSamples));
            _prerollFrames = 0;
        }
        if (Turn is not { } turn)
        {
            Remember(frame);
            return;
        }
        turn.Write(frame);
        if (turn.IsTooLong && signal == TurnSignal.None)
        {
            _detector.Reset();
            signal = TurnSignal.Ended;
        }
        if ((signal & (TurnSignal.Ended | TurnSignal.Discarded)) != 0) Turn = null;
        if (signal != TurnSignal.None) OnSignal(signal, turn);
        if (Turn is null && _nextDetector is not null) UseNextDetector();
    }

    private void UseNextDetector() => (_detector, _nextDetector) = (_nextDetector!, null);

    private void Remember(ReadOnlySpan<short> frame)
    {
        // Digital silence, as muted microphones send it, holds no soft beginning, and it misleads recognizers about the sound of the line.
        if (!frame.ContainsAnyExcept((short)0))
        {
            _prerollFrames = 0;
            return;
        }
        if (_prerollFrames == PrerollFrames)
        {
            _preroll.AsSpan(FrameSamples).CopyTo(_preroll);
            _prerollFrames--;
        }
        frame.CopyTo(_preroll.AsSpan(_prerollFrames++ * FrameSamples));
    }
}
