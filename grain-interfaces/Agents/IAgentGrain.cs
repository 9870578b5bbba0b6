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
    /// <exception cref="PlatformException"><see cref="ErrorCode.AgentNotFound"/>.</exception>
    Task<Agent> UpdateAsync(string accountId, string? name, JsonObject? templateChanges);

    /// <exception cref="PlatformException"><see cref="ErrorCode.AgentNotFound"/>.</exception>
    Task DeleteAsync(string accountId);
}
