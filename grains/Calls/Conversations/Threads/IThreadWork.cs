using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>What runs beside the loop for threads. No member blocks or throws; each start is answered by signals to the loop unless it is cancelled.</summary>
internal interface IThreadWork
{
    /// <summary>Starts a model request: an output signal for each delta, then one for the end.</summary>
    void StartGeneration(CallThread thread, long generation, ModelRequest request, CancellationToken cancellationToken);

    /// <summary>Starts a tool: one signal when it has finished, failed or timed out, and one before where its response is static.</summary>
    void StartTool(CallThread thread, Invocation invocation, CancellationToken cancellationToken);

    /// <summary>A result of the far end that comes now is too late.</summary>
    void GiveUp(string invocationId);
}
