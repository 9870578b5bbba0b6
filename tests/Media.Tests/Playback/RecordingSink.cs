namespace VoiceGrains.Media.Tests.Playback;

/// <summary>Notes what a playout sends and reports, in order.</summary>
internal sealed class RecordingSink : IPlayoutSink
{
    public List<string> Events { get; } = [];

    public List<short> Sent { get; } = [];

    public List<(long Position, int Samples)> Frames { get; } = [];

    public bool Accepts { get; set; } = true;

    public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition)
    {
        if (!Accepts)
            return false;
        Sent.AddRange(pcm);
        Frames.Add((playSamplePosition, pcm.Length));
        return true;
    }

    public void OnUtteranceStarted(int utteranceId) => Events.Add($"started {utteranceId}");

    public void OnMark(int utteranceId, int markId) => Events.Add($"mark {utteranceId}/{markId}");

    public void OnUnderrun(int utteranceId) => Events.Add($"underrun {utteranceId}");

    public void OnUtterancePlayed(int utteranceId) => Events.Add($"played {utteranceId}");

    public void OnCleared(long playSamplePosition) => Events.Add($"cleared at {playSamplePosition}");
}
