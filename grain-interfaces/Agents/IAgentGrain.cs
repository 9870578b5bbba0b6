using System.Text.Json.Nodes;
using Orleans;

namespace VoiceGrains.GrainInterfaces.Agents;

/// <summary>One agent. The key is the agent id. An account that does not own it is told that there is none.</summary>
public interface IAgentGrain : IGrainWithStringKey
{
    /// <summary>Stores a new agent.</summary>
    Task<Agent> CreateAsync(string accountId, string name, CallTemplate template);

    /// <exception cref="PlatformException"><see cref="ErrorCode.AgentNotFound"/>.</exception>
    Task<Agent> GetAsync(string accountId);

    /// <summary>Changes what is given and keeps the rest. Calls that exist keep what they were made with.</summary>
    /// <param name="name">Null keeps it.</param>
    /// <param name="templateChanges">Fields of the call template as the client sent them, checked before; a null field goes back to its default.</param>
    /// <param name="onlyVersions">Which versions of the agent may be changed; null for any. Compared in one step with the change.</param>
    /// <exception cref="PlatformException"><see cref="ErrorCode.AgentNotFound"/>, <see cref="ErrorCode.PreconditionFailed"/>.</exception>
    Task<Agent> UpdateAsync(string accountId, string? name, JsonObject? templateChanges, long[]? onlyVersions);

    /// <param name="accountId">Whose it is.</param>
    /// <param name="onlyVersions">As in <see cref="UpdateAsync"/>.</param>
    /// <exception cref="PlatformException"><see cref="ErrorCode.AgentNotFound"/>, <see cref="ErrorCode.PreconditionFailed"/>.</exception>
    Task DeleteAsync(string accountId, long[]? onlyVersions);
}
