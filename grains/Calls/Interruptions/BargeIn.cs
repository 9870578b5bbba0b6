namespace VoiceGrains.Grains.Calls.Interruptions;

/// <summary>A sound of the user's over the agent, and what it has turned out to be so far. Words are final; the rest may still turn out to be words.</summary>
internal sealed class BargeIn(InterruptionSettings settings, Backchannels backchannels, long timestamp)
{
    public InterruptionSettings Settings => settings;

    public SoundKind Kind { get; private set; }

    /// <summary>When the sound was long enough to interrupt; the window counts from here.</summary>
    public long Timestamp => timestamp;

    /// <summary>From there to the decision.</summary>
    public TimeSpan DecidedAfter { get; private set; }

    /// <summary>What a recognizer's text, whole or partial, says of the sound.</summary>
    public SoundKind Judge(string text) => backchannels.Judge(text);

    /// <summary>The window is over.</summary>
    /// <param name="text">What the recognizer has made of it so far.</param>
    /// <param name="sounds">The sound goes on.</param>
    public SoundKind JudgeNow(string text, bool sounds) => Judge(text) switch
    {
        SoundKind.Noise when sounds && settings.UndecidedInterrupts => SoundKind.Words,
        var kind => kind,
    };

    /// <summary>Takes a decision. Its time is that of the first one, or that of the words.</summary>
    public void Decide(SoundKind kind, TimeSpan after)
    {
        if (Kind == SoundKind.Undecided || kind == SoundKind.Words) DecidedAfter = after;
        Kind = kind;
    }
}
