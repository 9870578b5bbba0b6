using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>Takes events of calls for their readers. Writing never waits.</summary>
internal interface ICallEventWriter
{
    /// <param name="generation">The conversation that the call is in: the event is lost when a later one begins before it is stored.</param>
    /// <param name="callEvent">The event.</param>
    void Write(int generation, CallEvent callEvent);
}
