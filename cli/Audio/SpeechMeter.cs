namespace VoiceGrains.Cli.Audio;

/// <summary>Tells speech from pauses by level alone, good enough to time a recording: a frame counts when it reaches a tenth of the loudest.</summary>
internal sealed class SpeechMeter
{
    private const double FractionOfLoudest = 0.1;
    private const double Quietest = 150;        // RMS in 16-bit units, about -47 dBFS: below it there is room noise only
    private double loudest;

    public SpeechMeter()
    {
    }

    /// <summary>Knows the loudest frame beforehand.</summary>
    public SpeechMeter(ReadOnlySpan<short> recording, int frameSamples)
    {
        for (; recording.Length >= frameSamples; recording = recording[frameSamples..])
            loudest = Math.Max(loudest, Rms(recording[..frameSamples]));
    }

    public bool IsSpeech(ReadOnlySpan<short> frame)
    {
        var level = Rms(frame);
        loudest = Math.Max(loudest * 0.9995, level);
        return level > Math.Max(Quietest, loudest * FractionOfLoudest);
    }

    /// <summary>Whether a frame can be heard at all: a peak above -50 dBFS.</summary>
    public static bool IsAudible(ReadOnlySpan<short> frame)
    {
        foreach (var sample in frame)
        {
            if (sample is > 100 or < -100)
                return true;
        }
        return false;
    }

    private static double Rms(ReadOnlySpan<short> frame)
    {
        var sum = 0L;
        foreach (var sample in frame)
            sum += sample * sample;
        return frame.IsEmpty ? 0 : Math.Sqrt((double)sum / frame.Length);
    }
}
