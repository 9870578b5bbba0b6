using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Decides from one speech probability per 32 ms frame when the user begins, is heard for long enough to interrupt, and has ended a turn.
/// The rules are those of <c>vadSettings</c> (ultravox-docs, "Understanding VAD"). Knows neither sound nor clock.
/// </summary>
internal sealed class TurnDetector
{
    /// <summary>Length of a frame.</summary>
    public static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(32);

    private readonly float _threshold;
    private readonly int _endpointFrames;
    private readonly int _minimumTurnFrames;
    private readonly int _interruptionFrames;
    private int _speechFrames;
    private int _silentFrames;

    public TurnDetector(VadSettings? settings)
    {
        var minimumTurn = settings?.MinimumTurnDuration ?? TimeSpan.Zero;
        var minimumInterruption = settings?.MinimumInterruptionDuration ?? TimeSpan.FromMilliseconds(90);
        _threshold = (float)Math.Clamp(settings?.FrameActivationThreshold ?? 0.1, 0.1, 1);
        _endpointFrames = Math.Max(1, Frames(settings?.TurnEndpointDelay ?? TimeSpan.FromMilliseconds(384)));
        _minimumTurnFrames = Math.Max(1, Frames(minimumTurn));
        _interruptionFrames = Math.Max(1, Frames(minimumInterruption < minimumTurn ? minimumTurn : minimumInterruption));
    }

    /// <summary>Whether a turn is under way: speech began and its endpoint has not passed.</summary>
    public bool InTurn { get; private set; }

    /// <summary>Whether the turn under way (or just ended) had speech enough to interrupt the agent.</summary>
    public bool Interrupts => _speechFrames >= _interruptionFrames;

    /// <summary>Since the last speech of the turn under way.</summary>
    public TimeSpan Silence => _silentFrames * Frame;

    /// <summary>Silence at the end of a turn before it counts as ended.</summary>
    public TimeSpan EndpointDelay => _endpointFrames * Frame;

    /// <summary>Takes the next frame's speech probability, 0 to 1.</summary>
    public TurnSignal Process(float probability) => probability >= _threshold ? OnSpeech() : OnSilence();

    /// <summary>Forgets the turn under way.</summary>
    public void Reset() => (InTurn, _speechFrames, _silentFrames) = (false, 0, 0);

    private TurnSignal OnSpeech()
    {
        var signal = TurnSignal.None;
        if (!InTurn)
        {
            Reset();
            InTurn = true;
            signal = TurnSignal.Started;
        }
        _silentFrames = 0;
        if (++_speechFrames == _interruptionFrames) signal |= TurnSignal.Interrupts;
        return signal;
    }

    private TurnSignal OnSilence()
    {
        if (!InTurn || ++_silentFrames < _endpointFrames) return TurnSignal.None;
        InTurn = false;
        return _speechFrames >= _minimumTurnFrames ? TurnSignal.Ended : TurnSignal.Discarded;
    }

    private static int Frames(TimeSpan duration) => (int)((duration.Ticks + Frame.Ticks - 1) / Frame.Ticks);
}

/// <summary>What a frame brought about.</summary>
[Flags]
internal enum TurnSignal : byte
{
    None = 0,
    /// <summary>The first speech frame of a turn.</summary>
    Started = 1,
    /// <summary>The turn now has speech enough to interrupt the agent.</summary>
    Interrupts = 2,
    /// <summary>The endpoint delay passed: the turn is the user's.</summary>
    Ended = 4,
    /// <summary>The endpoint delay passed, but the speech was shorter than <c>minimumTurnDuration</c>.</summary>
    Discarded = 8,
}
