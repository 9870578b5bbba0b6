namespace VoiceGrains.Media.Tests.Speech;

/// <summary>How a detector did on one recording under one condition.</summary>
/// <param name="OnsetFrames">Frames from the first speech to the first found; of several recordings the most.</param>
internal readonly record struct VadScore(int Speech, int Missed, int Pause, int False, int OnsetFrames)
{
    public static VadScore operator +(VadScore a, VadScore b) => new(
        a.Speech + b.Speech, a.Missed + b.Missed, a.Pause + b.Pause, a.False + b.False, Math.Max(a.OnsetFrames, b.OnsetFrames));

    public double MissRate => (double)Missed / Math.Max(1, Speech);

    public double FalseRate => (double)False / Math.Max(1, Pause);
}

internal static class VadReport
{
    private const int Frame = VoiceActivityDetector.FrameSamples;

    public static float[] Probabilities(short[] pcm)
    {
        var vad = new VoiceActivityDetector();
        return [.. pcm.Chunk(Frame).Where(f => f.Length == Frame).Select(f => vad.Process(f))];
    }

    public static VadScore Total(IEnumerable<(Recording Recording, float[] Probabilities)> results, float threshold) =>
        results.Aggregate(default(VadScore), (sum, result) => sum + Score(result.Recording, result.Probabilities, threshold));

    /// <summary>The score at the threshold with the fewest false frames that misses no more than <paramref name="maxMissRate"/>.</summary>
    public static VadScore BestOf((Recording Recording, float[] Probabilities)[] results, double maxMissRate) =>
        Enumerable.Range(0, 101).Select(percent => Total(results, percent / 100f)).Where(score => score.MissRate <= maxMissRate).MinBy(score => score.FalseRate);

    /// <param name="recording">Tells what is speech.</param>
    /// <param name="probabilities">Per frame.</param>
    /// <param name="threshold">From which probability on a frame counts.</param>
    /// <param name="adaptation">Pauses in this many first frames do not count.</param>
    public static VadScore Score(Recording recording, float[] probabilities, float threshold, int adaptation = 31)
    {
        var (speech, missed, pause, wrong) = (0, 0, 0, 0);
        var onset = -1;
        for (var i = 0; i < probabilities.Length && i < recording.Levels.Length; i++)
        {
            var isFound = probabilities[i] >= threshold;
            if (recording.IsSpeech(i))
            {
                speech++;
                missed += isFound ? 0 : 1;
                if (onset < 0 && i + 1 < recording.Levels.Length && recording.IsSpeech(i + 1))     // one frame alone may be a click
                    onset = Array.FindIndex(probabilities, i, p => p >= threshold) - i;
            }
            else if (recording.IsPause(i) && i >= adaptation)
            {
                pause++;
                wrong += isFound ? 1 : 0;
            }
        }
        return new VadScore(speech, missed, pause, wrong, onset);
    }
}
