using System.Text.Json.Nodes;
using Orleans;
using Orleans.Runtime;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;

namespace VoiceGrains.Grains.Agents;

internal sealed class AgentGrain([PersistentState("agent")] IPersistentState<AgentState> state, TimeProvider clock) : Grain, IAgentGrain
{
    public async Task<Agent> CreateAsync(string accountId, string name, CallTemplate template)
    {
        if (state.State.Agent is { } existing) return existing.AccountId == accountId ? existing : throw NotFound();
        var now = clock.GetUtcNow();
        return await StoreAsync(new Agent
        {
            AgentId = this.GetPrimaryKeyString(),
            AccountId = accountId,
            Name = name,
            Created = now,
            PublishedRevisionId = Guid.NewGuid(),
            CallTemplate = template with { Created = now, Updated = now },
        });
    }

    public Task<Agent> GetAsync(string accountId) => Task.FromResult(Owned(accountId));

    public async Task<Agent> UpdateAsync(string accountId, string? name, JsonObject? templateChanges, long[]? onlyVersions)
    {
        var agent = Owned(accountId, onlyVersions);
        var changed = agent with { Name = name ?? agent.Name };
        if (templateChanges is not null)
        {
            changed = changed with
            {
                PublishedRevisionId = Guid.NewGuid(),
                CallTemplate = CallTemplateChanges.Apply(agent.CallTemplate, templateChanges) with { Updated = clock.GetUtcNow() },
            };
        }
        return changed == agent ? agent : await StoreAsync(changed with { Version = agent.Version + 1 });
    }

    public async Task DeleteAsync(string accountId, long[]? onlyVersions)
    {
        Owned(accountId, onlyVersions);
        await state.ClearStateAsync();
        this.DeactivateOnIdle();
    }

    private async Task<Agent> StoreAsync(Agent agent)
    {
        var before = state.State;
        state.State = new AgentState { Agent = agent };
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            state.State = before;   // nobody may be shown what was not stored
            throw;
        }
        return agent;
    }

    private Agent Owned(string accountId) => state.State.Agent is { } agent && agent.AccountId == accountId ? agent : throw NotFound();

    private Agent Owned(string accountId, long[]? onlyVersions)
        => Owned(accountId) is var agent && onlyVersions?.Contains(agent.Version) != false ? agent : throw PlatformException.Changed();

    private static PlatformException NotFound() => new(ErrorCode.AgentNotFound, "Not found.");
}
