using VoiceGrains.Grains.Calls.Interruptions;
using VoiceGrains.Providers.Recognition;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>One stretch of user speech, from its first frame to its recognized text.</summary>
internal sealed class UserTurn(int number, CallInstant start)
{
    private const int SampleRateHz = 16_000;
    // Longer monologues are cut into several turns, which bounds memory and the model's request.
    private const int LongestSamples = 120 * SampleRateHz;
    private short[] _audio = [];
    private int _length;

    public int Number => number;
    public CallInstant Start => start;

    /// <summary>Where the endpoint delay ended; latency counts from here.</summary>
    public long EndpointTimestamp { get; set; }

    /// <summary>The recognizer's session; null for models that hear by themselves and need no transcript.</summary>
    public IRecognition? Recognition { get; set; }

    public string PartialText { get; set; } = "";
    public string Text { get; set; } = "";
    public Exception? Failure { get; set; }

    /// <summary>The transcript's position, once one was sent.</summary>
    public int? Ordinal { get; set; }

    /// <summary>Its message, once it is in the history.</summary>
    public History.Entry? Entry { get; set; }

    /// <summary>The agent was speaking when it began.</summary>
    public bool BeganOverAgent { get; init; }

    /// <summary>What it may be instead of a turn; null where that is not asked.</summary>
    public BargeIn? BargeIn { get; set; }

    /// <summary>The sound is kept for models that hear.</summary>
    public bool KeepsAudio { get; init; }

    public int Samples { get; private set; }

    public bool IsTooLong => Samples >= LongestSamples;

    public ReadOnlyMemory<short> Audio => _audio.AsMemory(0, _length);

    public void Write(ReadOnlySpan<short> frame)
    {
        Samples += frame.Length;
        Recognition?.Write(frame);
        if (!KeepsAudio || Samples > LongestSamples) return;
        if (_length + frame.Length > _audio.Length) Array.Resize(ref _audio, Math.Max(4 * SampleRateHz, 2 * _audio.Length));
        frame.CopyTo(_audio.AsSpan(_length));
        _length += frame.Length;
    }
}
