namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What a conversation may be waiting for.</summary>
internal enum Deadline : byte
{
    /// <summary>The agent's first words are due.</summary>
    FirstSpeaker,
    /// <summary>The next inactivity message is due.</summary>
    Inactivity,
    /// <summary><c>maxDuration</c> is over.</summary>
    MaxDuration,
    /// <summary>The call must be over by now, whatever still plays.</summary>
    HardStop,
    /// <summary>Audio stopped coming in the middle of a turn.</summary>
    InputStall,
    /// <summary>Recognition or the model took too long.</summary>
    Answer,
    /// <summary>It must be decided what a sound over the agent is.</summary>
    BargeIn,
    /// <summary>No further key came: those collected are a message.</summary>
    Dtmf,
    /// <summary>The user did not keep the call.</summary>
    SoftHangUp,
    /// <summary>Regular look at input underflow.</summary>
    InputCheck,
}

/// <summary>A conversation's alarm clock: one timer for all of its deadlines, used only by the conversation's loop.</summary>
internal sealed class Deadlines : IDisposable
{
    private static readonly int Count = Enum.GetValues<Deadline>().Length;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly long[] _due = new long[Count];

    /// <param name="onDue">Called on a timer thread; posts an event to the loop.</param>
    public Deadlines(TimeProvider clock, Action onDue)
    {
        _clock = clock;
        _timer = clock.CreateTimer(static state => ((Action)state!)(), onDue, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Array.Fill(_due, long.MaxValue);
    }

    public bool IsSet(Deadline deadline) => _due[(int)deadline] != long.MaxValue;

    public void Set(Deadline deadline, TimeSpan delay)
    {
        var ticks = Math.Max(0, delay.TotalSeconds) * _clock.TimestampFrequency;
        _due[(int)deadline] = _clock.GetTimestamp() + (long)Math.Min(ticks, long.MaxValue / 4);
        Arm();
    }

    public void Clear(Deadline deadline)
    {
        if (!IsSet(deadline)) return;
        _due[(int)deadline] = long.MaxValue;
        Arm();
    }

    /// <summary>Takes one deadline that has passed, earliest kind first.</summary>
    public bool TryTakeDue(out Deadline deadline)
    {
        var now = _clock.GetTimestamp();
        for (var i = 0; i < Count; i++)
        {
            if (_due[i] > now) continue;
            _due[i] = long.MaxValue;
            deadline = (Deadline)i;
            return true;
        }
        Arm();
        deadline = default;
        return false;
    }

    public void Dispose() => _timer.Dispose();

    private void Arm()
    {
        var next = _due.Min();
        if (next == long.MaxValue)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }
        var wait = _clock.GetElapsedTime(_clock.GetTimestamp(), next);
        // A timer may fire a little early; rounding up to whole milliseconds avoids a second wake-up.
        var milliseconds = Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 0, 40L * 24 * 3600 * 1000);
        _timer.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }
}
