using System.Diagnostics;

namespace VoiceGrains.Cli.Talk;

/// <summary>Measures each turn as the caller hears it: from the end of the caller's words to the first sound of the answer. Thread-safe.</summary>
internal sealed class TurnTimer
{
    private readonly Lock gate = new();
    private readonly List<TimeSpan> turns = [];
    private long measuredUpTo;
    private long typedAt;

    /// <summary>One latency for each turn that was answered.</summary>
    public IReadOnlyList<TimeSpan> Turns
    {
        get
        {
            lock (gate)
                return [.. turns];
        }
    }

    /// <summary>Middle value; null without any turn.</summary>
    public TimeSpan? Median
    {
        get
        {
            lock (gate)
                return turns.Count == 0 ? null : turns.Order().ElementAt(turns.Count / 2);
        }
    }

    /// <summary>Drops the latencies, keeps what is known of the turn under way.</summary>
    public void Forget()
    {
        lock (gate)
            turns.Clear();
    }

    public void Typed(long timestamp)
    {
        lock (gate)
            typedAt = timestamp;
    }

    /// <summary>The agent begins to be heard. Null when the caller has said nothing since the last answer: a greeting, or a further sentence.</summary>
    public TimeSpan? Answered(long lastSpeech, long timestamp)
    {
        lock (gate)
        {
            var asked = Math.Max(lastSpeech, typedAt);
            if (asked <= measuredUpTo)
                return null;
            measuredUpTo = timestamp;
            var latency = Stopwatch.GetElapsedTime(asked, timestamp);
            turns.Add(latency);
            return latency;
        }
    }
}
