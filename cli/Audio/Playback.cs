using System.Diagnostics;

namespace VoiceGrains.Cli.Audio;

/// <summary>
/// The loudspeaker of a client that buffers nothing on its own: what arrives is played at once, or after what is still playing; what is cleared is not heard.
/// Keeps what was heard as a <see cref="Track"/> on the call's clock. Thread-safe.
/// </summary>
internal sealed class Playback(int sampleRateHz, long startTimestamp)
{
    private readonly Lock gate = new();
    private readonly Track heard = new();

    /// <summary>Stretches in which the agent was speaking and nothing was left to play.</summary>
    public int Underruns { get; private set; }

    /// <summary>Whether something remains to be played.</summary>
    public bool IsPlaying
    {
        get
        {
            lock (gate)
                return heard.Length > Position(Stopwatch.GetTimestamp());
        }
    }

    /// <summary>Samples since the start of the call.</summary>
    public int Position(long timestamp) => (int)(Stopwatch.GetElapsedTime(startTimestamp, timestamp).TotalSeconds * sampleRateHz);

    /// <param name="pcm">What arrived.</param>
    /// <param name="timestamp">When.</param>
    /// <param name="isContinuation">Whether it belongs to the sentence that is being played, so that a gap before it is a fault.</param>
    public void Play(ReadOnlySpan<short> pcm, long timestamp, bool isContinuation)
    {
        lock (gate)
        {
            var now = Position(timestamp);
            if (isContinuation && now > heard.Length)
                Underruns++;
            heard.Append(now, pcm);
        }
    }

    /// <summary>Drops what was not heard yet.</summary>
    public void Clear(long timestamp)
    {
        lock (gate)
            heard.Truncate(Position(timestamp));
    }

    /// <summary>What was heard so far.</summary>
    public short[] ToArray()
    {
        lock (gate)
            return heard.Samples.ToArray();
    }
}
