using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Paging;

namespace VoiceGrains.Grains.Tools;

/// <summary>Durable tools. Of another account's tools nothing is told, not even that they are there.</summary>
public sealed class ToolStore(NpgsqlDataSource database, IOptions<DurableToolOptions> options, TimeProvider clock)
{
    private const string Insert = """
        insert into tools (tool_id, account_id, name, created, definition)
        select t.tool_id, $1, t.name, t.created, t.definition::json from unnest($2, $3, $4, $5) as t(tool_id, name, created, definition)
        on conflict (account_id, name) do nothing
        """;

    /// <param name="accountId">Whose own tools are listed beside the built-in ones.</param>
    /// <param name="isPublic">Only built-in tools, or only own ones; null for both.</param>
    /// <param name="search">Part of the name or the description; null for all.</param>
    /// <param name="order">How they are sorted.</param>
    /// <param name="page">Which part.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public Task<Page<Tool>> ListAsync(
        string accountId, bool? isPublic, string? search, ToolOrder order, PageRequest page, CancellationToken cancellationToken)
    {
        var filter = isPublic switch
        {
            true => new SqlFilter().Where("is_public"),
            false => new SqlFilter().Where("account_id = {0} and not is_public", accountId),
            null => new SqlFilter().Where("account_id = {0} or is_public", accountId),
        };
        if (search is not null) filter.Where("name ilike {0} or definition->>'description' ilike {0}", SqlFilter.Contains(search));
        return ToolList.ReadAsync(database, filter, order, page, cancellationToken);
    }

    /// <summary>One of the account's tools or a built-in one; null when there is none.</summary>
    public async Task<Tool?> FindAsync(string accountId, string toolId, CancellationToken cancellationToken)
        => (await FindAsync(accountId, [toolId], [], cancellationToken)).SingleOrDefault();

    /// <summary>Every tool that has one of the ids or names, built-in ones among them, in no order.</summary>
    public async Task<IReadOnlyList<Tool>> FindAsync(
        string accountId, IReadOnlyCollection<string> ids, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var found = BuiltInTool.All.Where(t => ids.Contains(t.ToolId, StringComparer.OrdinalIgnoreCase) || names.Contains(t.Name)).Select(t => t.ToTool()).ToList();
        if (names.Count == 0 && found.Count == ids.Count) return found;
        await using var command = database.CreateCommand(
            "select tool_id, name, created, definition, false, version from tools where account_id = $1 and (tool_id = any($2) or name = any($3))");
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = ids.Select(id => id.ToLowerInvariant()).ToArray() });
        command.Parameters.Add(new() { Value = names.ToArray() });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) found.Add(ToolList.Read(row));
        return found;
    }

    /// <summary>Stores all of the tools or none.</summary>
    /// <param name="accountId">Whose they become.</param>
    /// <param name="drafts">Checked before.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <exception cref="InvalidInputException">A name is taken, a definition too large, or there is no room for so many.</exception>
    public async Task<IReadOnlyList<Tool>> CreateAsync(
        string accountId, IReadOnlyList<ToolDraft> drafts, CancellationToken cancellationToken)
    {
        var problems = new InputErrors();
        var definitions = drafts.Select(draft => ToJson(draft, problems)).ToArray();
        problems.ThrowIfAny();
        var now = Now();
        // A microsecond apart, so that lists keep their order.
        var tools = drafts.Select((draft, i) => New(draft, now.AddMicroseconds(i))).ToList();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await RequireRoomAsync(connection, accountId, tools.Count, cancellationToken);
        await using var insert = new NpgsqlCommand(Insert, connection);
        insert.Parameters.Add(new() { Value = accountId });
        insert.Parameters.Add(new() { Value = tools.Select(t => t.ToolId).ToArray() });
        insert.Parameters.Add(new() { Value = tools.Select(t => t.Name).ToArray() });
        insert.Parameters.Add(new() { Value = tools.Select(t => t.Created).ToArray() });
        insert.Parameters.Add(new() { Value = definitions });
        if (await insert.ExecuteNonQueryAsync(cancellationToken) < tools.Count)
        {
            await transaction.RollbackAsync(cancellationToken);
            await TellTakenNamesAsync(accountId, drafts, problems, cancellationToken);
            problems.ThrowIfAny();
            throw new PlatformException(ErrorCode.SiloUnavailable, "Tools of these names came and went meanwhile.");
        }
        await transaction.CommitAsync(cancellationToken);
        return tools;
    }

    /// <summary>Replaces name and definition; null when the account has no such tool.</summary>
    /// <param name="accountId">Whose it is.</param>
    /// <param name="toolId">Which.</param>
    /// <param name="draft">Checked before.</param>
    /// <param name="onlyVersions">Which versions of the tool may be replaced; null for any. Compared in one step with the change.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <exception cref="PlatformException"><see cref="ErrorCode.PreconditionFailed"/>.</exception>
    /// <exception cref="InvalidInputException">Another of the account's tools has the name, or the definition is too large.</exception>
    public async Task<Tool?> ReplaceAsync(
        string accountId, string toolId, ToolDraft draft, long[]? onlyVersions, CancellationToken cancellationToken)
    {
        var problems = new InputErrors();
        var definition = ToJson(draft, problems);
        problems.ThrowIfAny();
        await using var command = database.CreateCommand("""
            update tools set name = $3, definition = $4, version = version + 1
            where account_id = $1 and tool_id = $2 and ($5::bigint[] is null or version = any($5)) returning created, version
            """);
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = toolId });
        command.Parameters.Add(new() { Value = draft.Name });
        command.Parameters.Add(new() { Value = definition, NpgsqlDbType = NpgsqlDbType.Json });
        command.Parameters.Add(Versions(onlyVersions));
        try
        {
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            if (await row.ReadAsync(cancellationToken))
                return New(draft, row.GetFieldValue<DateTimeOffset>(0)) with { ToolId = toolId, Version = row.GetInt64(1) };
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new InvalidInputException("name", NameTaken);
        }
        await RequireUnconditionalAsync(accountId, toolId, onlyVersions, cancellationToken);
        return null;
    }

    /// <summary>False when the account has no such tool. Agents that selected it keep the reference; see docs/tools-api.md.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.PreconditionFailed"/>, as in <see cref="ReplaceAsync"/>.</exception>
    public async Task<bool> DeleteAsync(string accountId, string toolId, long[]? onlyVersions, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("delete from tools where account_id = $1 and tool_id = $2 and ($3::bigint[] is null or version = any($3))");
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = toolId });
        command.Parameters.Add(Versions(onlyVersions));
        if (await command.ExecuteNonQueryAsync(cancellationToken) > 0) return true;
        await RequireUnconditionalAsync(accountId, toolId, onlyVersions, cancellationToken);
        return false;
    }

    /// <summary>Tells, where nothing was written, that it is there all the same: then it is the condition that failed.</summary>
    private async Task RequireUnconditionalAsync(string accountId, string toolId, long[]? onlyVersions, CancellationToken cancellationToken)
    {
        if (onlyVersions is not null && await FindAsync(accountId, toolId, cancellationToken) is not null) throw PlatformException.Changed();
    }

    private static NpgsqlParameter Versions(long[]? versions)
        => new() { Value = (object?)versions ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    internal static string ToJson(BaseToolDefinition definition) => JsonSerializer.Serialize(definition, WireJson.Sparse);

    private const string NameTaken = "Another tool has this name.";

    private string ToJson(ToolDraft draft, InputErrors errors)
    {
        var json = ToJson(draft.Definition);
        if (System.Text.Encoding.UTF8.GetByteCount(json) > options.Value.MaxDefinitionBytes)
            draft.Tell(errors, "definition", $"A definition may have {options.Value.MaxDefinitionBytes} bytes of JSON.");
        return json;
    }

    /// <summary>Waits for others that add tools to this account, so that the limit holds whoever is first.</summary>
    private async Task RequireRoomAsync(NpgsqlConnection connection, string accountId, int wanted, CancellationToken cancellationToken)
    {
        await using var turn = new NpgsqlCommand("select pg_advisory_xact_lock(hashtextextended('tools of ' || $1, 0))", connection);
        turn.Parameters.Add(new() { Value = accountId });
        await turn.ExecuteNonQueryAsync(cancellationToken);
        await using var count = new NpgsqlCommand("select count(*)::int from tools where account_id = $1", connection);
        count.Parameters.Add(new() { Value = accountId });
        var present = (int)(await count.ExecuteScalarAsync(cancellationToken))!;
        if (present + wanted <= options.Value.MaxPerAccount) return;
        var problems = new InputErrors();
        problems.AddNonField($"An account may have {options.Value.MaxPerAccount} tools; this one has {present}.");
        throw new InvalidInputException(problems);
    }

    private async Task TellTakenNamesAsync(string accountId, IReadOnlyList<ToolDraft> drafts, InputErrors errors, CancellationToken cancellationToken)
    {
        var present = await FindAsync(accountId, [], [.. drafts.Select(d => d.Name)], cancellationToken);
        var taken = present.Where(t => !t.IsPublic).Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var draft in drafts)
            if (!taken.Add(draft.Name)) draft.Tell(errors, "name", NameTaken);
    }

    private static Tool New(ToolDraft draft, DateTimeOffset created)
        => new() { ToolId = Guid.NewGuid().ToString(), Name = draft.Name, Created = created, Definition = draft.Definition, IsPublic = false };

    /// <summary>In the database's precision.</summary>
    private DateTimeOffset Now()
    {
        var now = clock.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
