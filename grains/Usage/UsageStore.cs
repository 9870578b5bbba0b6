using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Paging;

namespace VoiceGrains.Grains.Usage;

/// <summary>
/// What an account's calls add up to, counted in the tables that calls leave. Deleted calls still count: deleting a call does not give its minutes back.
/// </summary>
public sealed class UsageStore(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>Days that a list by day or hour goes back from the end of its range, so that answers stay bounded.</summary>
    public const int MaxDays = 366;

    private const string Columns = "agent_id, created, joined, ended, end_reason";
    internal const string Day = "(created at time zone 'UTC')::date";
    internal const string Seconds = "extract(epoch from ended - joined)";

    /// <summary>Units of 6 s: each call is rounded up, and a fault of the system costs nothing.</summary>
    private const string BilledUnits = $"coalesce(sum(ceil({Seconds} / 6)) filter (where end_reason is distinct from 'system_error'), 0)::bigint";

    internal const double UnitsPerMinute = 10;

    internal const string Statistics = $"""
        count(*)::integer, (count(*) filter (where end_reason in ('connection_error', 'system_error')))::integer, count(joined)::integer,
        coalesce(sum({Seconds}), 0), {BilledUnits}
        """;

    /// <summary>
    /// A call waits for its client a day at most and lives another; the rest is for one whose server was away when it should have ended. Keeps a look at one
    /// day from reading every ended call before it.
    /// </summary>
    private const string LongestLife = "interval '7 days'";

    /// <summary>By creation, all together, by day and by hour.</summary>
    public async Task<CallUsage> ReadCallsAsync(string accountId, CallFilter filter, CancellationToken cancellationToken)
    {
        var rows = Matching(accountId, filter, out var from);
        await using var command = database.CreateCommand();
        rows.AddTo(command);
        command.Parameters.Add(new() { Value = LastDay(filter) });
        command.CommandText = $"""
            select day, hour, {Statistics}
            from (select {Day} as day, extract(hour from created at time zone 'UTC')::integer as hour, joined, ended, end_reason from ({from}) matching) calls
            group by grouping sets ((), (day), (day, hour))
            having grouping(day) = 1 or day > ${command.Parameters.Count}::date - {MaxDays}
            order by grouping(day) desc, grouping(hour) desc, day, hour
            """;
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);   // the empty set has its row even where nothing matches
        var all = new CallStatistics
        {
            TotalCount = row.GetInt32(2), ErrorCount = row.GetInt32(3), JoinedCount = row.GetInt32(4), Duration = Duration(row, 5), BilledMinutes = Minutes(row, 6),
        };
        var (days, hours) = (new List<DailyCallStatistics>(), new List<HourlyCallStatistics>());
        while (await row.ReadAsync(cancellationToken))
        {
            if (row.IsDBNull(1)) days.Add(ReadDay(row));
            else hours.Add(ReadHour(row));
        }
        return new(all, days, hours);
    }

    /// <summary>By agent and day of creation; the agents by name. A deleted agent has the name that its latest call knew, or none.</summary>
    public async Task<IReadOnlyList<AgentUsage>> ReadAgentsAsync(string accountId, CallFilter filter, CancellationToken cancellationToken)
    {
        var rows = Matching(accountId, filter, out var from);
        await using var command = database.CreateCommand();
        rows.AddTo(command);
        command.Parameters.Add(new() { Value = LastDay(filter) });
        command.CommandText = $"""
            with usage as (
                select agent_id, {Day} as day, {BilledUnits} as units, count(*)::integer as calls from ({from}) matching
                where agent_id is not null and {Day} > ${command.Parameters.Count}::date - {MaxDays} group by agent_id, day
            ),
            names as (
                select agent_id, coalesce(
                    (select name from agents a where a.agent_id = known.agent_id and a.account_id = $1),
                    (select document->'settings'->>'agentName' from calls c where c.account_id = $1 and c.agent_id = known.agent_id order by created desc limit 1),
                    '') as name
                from (select distinct agent_id from usage) known
            )
            select agent_id, name, day, units, calls from usage join names using (agent_id) order by name collate "C", agent_id, day
            """;
        var agents = new List<(CallAgent Agent, List<AgentDailyUsage> Days)>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            var agentId = row.GetString(0);
            if (agents.Count == 0 || agents[^1].Agent.AgentId != agentId) agents.Add((new(agentId, row.GetString(1)), []));
            agents[^1].Days.Add(new(row.GetFieldValue<DateOnly>(2), Minutes(row, 3), row.GetInt32(4)));
        }
        return agents.ConvertAll(agent => new AgentUsage(agent.Agent, agent.Days));
    }

    /// <summary>Minutes by the day (UTC) on which calls ended, which is when they are billed. Days without any are left out.</summary>
    /// <param name="accountId">Whose.</param>
    /// <param name="from">Inclusive.</param>
    /// <param name="to">Exclusive.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyDictionary<DateOnly, double>> ReadBilledMinutesAsync(string accountId, DateOnly from, DateOnly to, CancellationToken cancellationToken)
    {
        const string ended = $"account_id = $1 and created >= $2 - {LongestLife} and created < $3 and ended >= $2 and ended < $3";
        await using var command = database.CreateCommand($"""
            select (ended at time zone 'UTC')::date as day, {BilledUnits}
            from (select joined, ended, end_reason from calls where {ended} union all select joined, ended, end_reason from deleted_calls where {ended}) calls
            group by day
            """);
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = new DateTimeOffset(from, TimeOnly.MinValue, TimeSpan.Zero) });
        command.Parameters.Add(new() { Value = new DateTimeOffset(to, TimeOnly.MinValue, TimeSpan.Zero) });
        var minutes = new Dictionary<DateOnly, double>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) minutes.Add(row.GetFieldValue<DateOnly>(0), Minutes(row, 1));
        return minutes;
    }

    /// <summary>How many calls there were at once, exactly: the level changes with each call that comes, is joined or ends, and each bucket looks at its steps.</summary>
    /// <param name="accountId">Whose.</param>
    /// <param name="start">Where the first bucket begins; the caller aligns it.</param>
    /// <param name="end">Exclusive, not in the future; cuts the last bucket short.</param>
    /// <param name="bucket">Whole seconds.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<ConcurrencyBucket>> ReadConcurrencyAsync(
        string accountId, DateTimeOffset start, DateTimeOffset end, TimeSpan bucket, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"""
            with spans as (
                select created, joined, ended from calls
                where account_id = $1 and created >= $2 - {LongestLife} and created < $3 and (ended is null or ended > $2)
                union all
                select created, joined, ended from calls where account_id = $1 and created < $2 - {LongestLife} and ended is null
                union all
                select created, joined, coalesce(ended, deleted) from deleted_calls
                where account_id = $1 and created >= $2 - {LongestLife} and created < $3 and coalesce(ended, deleted) > $2
            ),
            changes as (
                select greatest(created, $2) as at, 1 as total, 0 as joined from spans
                union all select ended, -1, 0 from spans where ended < $3
                union all select greatest(joined, $2), 0, 1 from spans where joined < $3
                union all select ended, 0, -1 from spans where joined < $3 and ended < $3
                union all select generate_series($2, $3 - interval '1 microsecond', make_interval(secs => $4)), 0, 0
            ),
            steps as (
                select at, extract(epoch from lead(at, 1, $3) over (order by at) - at) as seconds,
                    sum(sum(total)) over (order by at) as total, sum(sum(joined)) over (order by at) as joined
                from changes group by at
            )
            select date_bin(make_interval(secs => $4), at, $2) as bucket, max(total)::integer, max(joined)::integer,
                (sum(total * seconds) / sum(seconds))::double precision, (sum(joined * seconds) / sum(seconds))::double precision
            from steps group by bucket order by bucket
            """);
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = start.ToUniversalTime() });
        command.Parameters.Add(new() { Value = end.ToUniversalTime() });
        command.Parameters.Add(new() { Value = bucket.TotalSeconds });
        var series = new List<ConcurrencyBucket>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            series.Add(new(row.GetFieldValue<DateTimeOffset>(0), row.GetInt32(1), row.GetInt32(2), row.GetDouble(3), row.GetDouble(4)));
        return series;
    }

    /// <param name="from">The calls that match and, unless a filter asks for what is not kept of them, the deleted ones.</param>
    private static SqlFilter Matching(string accountId, CallFilter filter, out string from)
    {
        var rows = new SqlFilter().Where("account_id = {0}", accountId);
        if (filter.Metadata is null && filter.Voices is null && filter.Search is null)
        {
            CallStore.AddCommonFilters(rows, filter);
            from = $"select {Columns} from calls where {rows.Sql} union all select {Columns} from deleted_calls where {rows.Sql}";
        }
        else
        {
            CallStore.AddFilters(rows, filter);
            from = $"select {Columns} from calls where {rows.Sql}";
        }
        return rows;
    }

    private DateOnly LastDay(CallFilter filter)
    {
        var now = clock.GetUtcNow();
        return DateOnly.FromDateTime((filter.To < now ? filter.To.Value : now).UtcDateTime);
    }

    private static DailyCallStatistics ReadDay(NpgsqlDataReader row) => new()
    {
        Date = row.GetFieldValue<DateOnly>(0),
        TotalCount = row.GetInt32(2), ErrorCount = row.GetInt32(3), JoinedCount = row.GetInt32(4), Duration = Duration(row, 5), BilledMinutes = Minutes(row, 6),
    };

    private static HourlyCallStatistics ReadHour(NpgsqlDataReader row) => new()
    {
        Date = row.GetFieldValue<DateOnly>(0), Hour = row.GetInt32(1),
        TotalCount = row.GetInt32(2), ErrorCount = row.GetInt32(3), JoinedCount = row.GetInt32(4), Duration = Duration(row, 5), BilledMinutes = Minutes(row, 6),
    };

    private static TimeSpan Duration(NpgsqlDataReader row, int column) => TimeSpan.FromTicks((long)(row.GetDecimal(column) * TimeSpan.TicksPerSecond));

    private static double Minutes(NpgsqlDataReader row, int column) => row.GetInt64(column) / UnitsPerMinute;
}
