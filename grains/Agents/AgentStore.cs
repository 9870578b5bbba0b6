using Npgsql;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Agents;

/// <summary>Lists of agents, and what is counted about them.</summary>
public sealed class AgentStore(NpgsqlDataSource database, SealedJson json)
{
    public static readonly SortColumn ByCreated = new("created", "created", "timestamptz"), ByName = new("name", "name collate \"C\"", "text");

    private const string CallCount =
        "(select coalesce(sum(total), 0)::int from call_counts c where c.list = 'calls' and c.account_id = agents.account_id and c.agent_id = agents.agent_id)";

    private static readonly KeysetQuery Agents = new("agents", $"document, {CallCount}", new("id", "agent_id", "text"));

    /// <param name="accountId">Whose.</param>
    /// <param name="search">Words that the name must hold; null for all.</param>
    /// <param name="page">Which part.</param>
    /// <param name="column">Sorted by this.</param>
    /// <param name="descending">Which way.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public Task<Page<AgentWithCalls>> ListAsync(
        string accountId, string? search, PageRequest page, SortColumn column, bool descending, CancellationToken cancellationToken)
    {
        var filter = new SqlFilter().Where("account_id = {0}", accountId);
        if (search is not null) filter.Where("name ilike {0}", SqlFilter.Contains(search));
        return Agents.ReadAsync(database, filter, page, column, descending,
            row => new AgentWithCalls(json.Deserialize<Agent>(row.GetFieldValue<byte[]>(0)), row.GetInt32(1)), cancellationToken);
    }

    /// <summary>How often the links to the agent's talk page were taken back; null when the account has no such agent.</summary>
    public async Task<int?> FindTalkLinksGenerationAsync(string accountId, string agentId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select talk_links_generation from agents where agent_id = $2 and account_id = $1");
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = agentId });
        return (int?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>Takes back all links to the agent's talk page that there are; false when the account has no such agent.</summary>
    public async Task<bool> RevokeTalkLinksAsync(string accountId, string agentId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("update agents set talk_links_generation = talk_links_generation + 1 where agent_id = $2 and account_id = $1");
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = agentId });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>Calls that the agent has had, present ones included.</summary>
    public async Task<int> CountCallsAsync(string accountId, string agentId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select coalesce(sum(total), 0)::int from call_counts where list = 'calls' and account_id = $1 and agent_id = $2");
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = agentId });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

/// <summary>An agent and the number of its calls.</summary>
public sealed record AgentWithCalls(Agent Agent, int Calls);
