using VoiceGrains.Providers;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// The voices that may speak for an agent, best first. One that failed waits its turn behind those that work: it is tried again after a while, ever longer
/// while it goes on to fail, so that a broken voice costs a call one timeout and not one for each sentence. Used by one utterance at a time.
/// </summary>
internal sealed class SpeakingVoices
{
    /// <summary>Kinds of failure of one voice that are told; a provider cannot fill a call's log.</summary>
    private const int MostTold = 8;
    private readonly ConversationOptions _options;
    private readonly TimeProvider _clock;
    private readonly List<Speaker> _speakers;

    /// <param name="own">The stage's voice.</param>
    /// <param name="fallback">Speaks when it fails; null: nobody does.</param>
    public SpeakingVoices(AgentVoice own, AgentVoice? fallback, ConversationOptions options, TimeProvider clock)
    {
        (Own, _options, _clock) = (own, options, clock);
        _speakers = [new Speaker(own)];
        if (fallback is not null && fallback != own) _speakers.Add(new Speaker(fallback));
    }

    public AgentVoice Own { get; }

    /// <summary>Who may speak an utterance that begins now, in the order in which to try.</summary>
    public IReadOnlyList<Speaker> Line()
    {
        var now = _clock.GetTimestamp();
        return [.. _speakers.OrderBy(speaker => now < speaker.RetryAt)];     // stable
    }

    /// <summary>How long a voice may take to its first sound; null: as long as its provider allows.</summary>
    public TimeSpan? PatienceWith(Speaker speaker, bool isLast) => speaker.IsBroken && !isLast ? _options.VoiceTrialPatience : null;

    /// <summary>Notes a failure. True where it is worth telling: the voice worked before, or it fails in another way.</summary>
    public bool Failed(Speaker speaker, ProviderException failure)
    {
        var delay = _options.VoiceRetryDelay * Math.Pow(2, Math.Min(speaker.Failures, 30));
        if (failure.RetryAfter is { } asked && asked > delay) delay = asked;
        if (delay > _options.VoiceRetryLimit) delay = _options.VoiceRetryLimit;
        var isNews = !speaker.IsBroken || speaker.Fault != (failure.Fault, failure.Status);
        speaker.Failures++;
        (speaker.IsBroken, speaker.Fault, speaker.FailedAt) = (true, (failure.Fault, failure.Status), _clock.GetTimestamp());
        speaker.RetryAt = speaker.FailedAt + (long)(delay.TotalSeconds * _clock.TimestampFrequency);
        return isNews && speaker.Told++ < MostTold;
    }

    /// <summary>Notes that the voice spoke an utterance to its end. True where that is worth telling: it had failed before.</summary>
    public bool Worked(Speaker speaker)
    {
        // One good sentence proves little: a voice that fails every now and then is still tried less and less often.
        if (speaker.Failures > 0 && _clock.GetElapsedTime(speaker.FailedAt) >= _options.VoiceRetryLimit) speaker.Failures = 0;
        var hasRecovered = speaker.IsBroken;
        (speaker.IsBroken, speaker.RetryAt) = (false, 0);
        return hasRecovered && speaker.Told <= MostTold;
    }

    /// <summary>A voice and how it fares.</summary>
    internal sealed class Speaker(AgentVoice voice)
    {
        public AgentVoice Voice => voice;
        /// <summary>It failed and has not spoken an utterance to its end since.</summary>
        public bool IsBroken { get; set; }
        public (ProviderFault Fault, int? Status) Fault { get; set; }
        /// <summary>Of late; decides on the pause before the next try.</summary>
        public int Failures { get; set; }
        public long FailedAt { get; set; }
        public long RetryAt { get; set; }
        public int Told { get; set; }
    }
}
