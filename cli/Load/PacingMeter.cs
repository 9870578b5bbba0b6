using System.Diagnostics;

namespace VoiceGrains.Cli.Load;

/// <summary>
/// How evenly agent audio arrives. Within one sentence each frame is due when the audio before it has been played; its arrival minus that time is constant when the
/// server paces perfectly. The jitter of a frame is its distance from the sentence's median. Frames that the server sends ahead at once to fill the client's buffer
/// are not judged. Not thread-safe.
/// </summary>
internal sealed class PacingMeter(int sampleRateHz, TimeSpan clientBuffer)
{
    private readonly List<double> offsets = [];
    private long firstArrival;
    private long samples;
    private double playbackDelayMs;

    /// <summary>Distances of the frames of all finished sentences, in milliseconds.</summary>
    public List<double> JitterMs { get; } = [];

    /// <summary>How often a client that plays at once had nothing left in the middle of a sentence.</summary>
    public int Underruns { get; private set; }

    public int Frames { get; private set; }

    public void Arrived(int frameSamples, long timestamp)
    {
        if (samples == 0)
            firstArrival = timestamp;
        var played = (double)samples / sampleRateHz * 1000;
        var offset = Stopwatch.GetElapsedTime(firstArrival, timestamp).TotalMilliseconds - played;
        if (offset > playbackDelayMs)
        {
            Underruns++;
            playbackDelayMs = offset;       // it goes on so much later, and the next frames have that much more time
        }
        if (played >= clientBuffer.TotalMilliseconds)
            offsets.Add(offset);
        samples += frameSamples;
        Frames++;
    }

    /// <summary>The sentence is over: its frames are judged.</summary>
    public void EndSentence()
    {
        if (offsets.Count > 1)
        {
            var median = offsets.Order().ElementAt(offsets.Count / 2);
            foreach (var offset in offsets)
                JitterMs.Add(Math.Abs(offset - median));
        }
        offsets.Clear();
        (samples, playbackDelayMs) = (0, 0);
    }

    /// <summary>Forgets what was measured; a sentence that is being heard keeps its schedule.</summary>
    public void Reset()
    {
        offsets.Clear();
        JitterMs.Clear();
        (Underruns, Frames) = (0, 0);
    }
}
