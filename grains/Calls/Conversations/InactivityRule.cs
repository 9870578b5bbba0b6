using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Which inactivity message is next. Durations are cumulative: message m comes its duration after message m-1 was spoken; any user activity
/// starts again at the first. Time in which the agent speaks or thinks does not count as the user's inactivity.
/// </summary>
internal sealed class InactivityRule(IReadOnlyList<TimedMessage> messages)
{
    private int _next;

    /// <summary>Silence before the next message; null when none is left.</summary>
    public TimeSpan? Delay => _next < messages.Count ? messages[_next].Duration : null;

    public void OnUserActivity() => _next = 0;

    public TimedMessage TakeNext() => messages[_next++];
}
