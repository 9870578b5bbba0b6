using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.LiveEvents;

/// <summary>Takes what a conversation says to the world beside its client. Called from the conversation's loop: never waits and never throws.</summary>
internal interface ILiveEventSink
{
    /// <summary>Exactly one of <paramref name="text"/> and <paramref name="delta"/> is set.</summary>
    void Transcript(MessageRole role, MessageMedium medium, string? text, string? delta, bool final, int ordinal);

    void State(string state);

    void Event(CallEvent callEvent);
}
