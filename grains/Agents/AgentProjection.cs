using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Agents;

/// <summary>Keeps the table that lists read in step with the agents' states. Shared secrets stay in the state: no answer holds them.</summary>
internal sealed class AgentProjection(SealedJson json) : IStateProjection<AgentState>
{
    public async Task ProjectAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string grainKey, AgentState? state, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection, Transaction = transaction };
        command.Parameters.Add(new() { Value = grainKey });
        if (state?.Agent is not { } agent)
        {
            command.CommandText = "delete from agents where agent_id = $1";
        }
        else
        {
            command.CommandText =
                """
                insert into agents (agent_id, account_id, name, created, document) values ($1, $2, $3, $4, $5)
                on conflict (agent_id) do update set name = excluded.name, document = excluded.document
                """;
            var shown = agent with { CallTemplate = agent.CallTemplate with { SharedSecrets = null } };
            command.Parameters.Add(new() { Value = agent.AccountId });
            command.Parameters.Add(new() { Value = agent.Name });
            command.Parameters.Add(new() { Value = agent.Created });
            command.Parameters.Add(new() { Value = json.Serialize(shown), NpgsqlDbType = NpgsqlDbType.Jsonb });
        }
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
