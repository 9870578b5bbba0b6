using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>A conversation that runs on this silo, as its grain sees it.</summary>
public interface ILiveCall
{
    CallRun Run { get; }

    /// <summary>Whether it has ended, and only its end is still to be stored.</summary>
    bool IsOver { get; }

    /// <summary>Queues a data message as if the client had sent it. False when the conversation is over or cannot take more.</summary>
    bool TryPost(JsonObject message);

    /// <summary>Asks the conversation to end; completes when it has.</summary>
    Task EndAsync(EndReason reason, CancellationToken cancellationToken);
}
