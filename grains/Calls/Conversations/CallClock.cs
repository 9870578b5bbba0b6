using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>The two times of a joined call: the wall clock's and that of the input audio stream.</summary>
/// <param name="wall">How long ago the call was joined.</param>
/// <param name="input">Sound received before.</param>
internal sealed class CallClock(TimeProvider clock, TimeSpan wall = default, TimeSpan input = default)
{
    private readonly long _started = clock.GetTimestamp();
    private long _inputTicks = input.Ticks;

    /// <summary>Since the join, by the wall clock.</summary>
    public TimeSpan Wall => wall + clock.GetElapsedTime(_started);

    /// <summary>Sound received since the join.</summary>
    public TimeSpan Input => new(Interlocked.Read(ref _inputTicks));

    public void AdvanceInput(TimeSpan sound) => Interlocked.Add(ref _inputTicks, sound.Ticks);

    public CallInstant Now => new(Input, Wall);

    /// <summary>The two timespans of a message that began at <paramref name="start"/> and ends now.</summary>
    public Message Stamp(Message message, CallInstant start)
    {
        var now = Now;
        return message with { Timespan = new(start.Input, Max(start.Input, now.Input)), WallClockTimespan = new(start.Wall, now.Wall) };
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}

/// <summary>A moment of a call on both of its clocks.</summary>
internal readonly record struct CallInstant(TimeSpan Input, TimeSpan Wall);
