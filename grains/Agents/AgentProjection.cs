using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Agents;

/// <summary>Keeps the table that lists read in step with the agents' states. Shared secrets stay in the state: no answer holds them.</summary>
internal sealed class AgentProjection(SealedJson json) : IStateStatements<AgentState>
{
    private const string Store = """
        insert into agents (agent_id, account_id, name, created, document) values ($1, $2, $3, $4, $5)
        on conflict (agent_id) do update set name = excluded.name, document = excluded.document
        """;

    public IEnumerable<NpgsqlBatchCommand> Of(string grainKey, AgentState? state)
    {
        if (state?.Agent is not { } agent)
        {
            yield return new("delete from agents where agent_id = $1") { Parameters = { new() { Value = grainKey } } };
            yield break;
        }
        var shown = agent with { CallTemplate = agent.CallTemplate with { SharedSecrets = null } };
        yield return new(Store)
        {
            Parameters =
            {
                new() { Value = grainKey }, new() { Value = agent.AccountId }, new() { Value = agent.Name }, new() { Value = agent.Created },
                new() { Value = json.Serialize(shown), NpgsqlDbType = NpgsqlDbType.Jsonb },
            },
        };
    }
}
