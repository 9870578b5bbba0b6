using Npgsql;
using VoiceGrains.Grains.Paging;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// How many calls a list holds, from the table <c>call_counts</c>: whole days, hours and steps of duration from there, what is left at the ends of a range from
/// the calls themselves. All other filters, and one by time of day together with one by duration, are not counted there.
/// </summary>
internal static class CallTotals
{
    private const string TimeOfDay = "(created at time zone 'UTC')::time";

    private static readonly CountRuler Hours = new([.. Enumerable.Range(0, 25).Select(hour => (double)hour * TimeSpan.MicrosecondsPerHour)]);

    /// <summary>As SQL's <c>duration_bucket</c> has them.</summary>
    private static readonly CountRuler Durations = new(
    [
        double.NegativeInfinity, .. Steps(5, 5, 60), .. Steps(75, 15, 300), .. Steps(360, 60, 1_800), .. Steps(3_600, 1_800, 86_400), double.PositiveInfinity,
    ]);

    /// <summary>Selects the number as integer; null when the counts do not tell it.</summary>
    public static NpgsqlBatchCommand? Of(string table, string accountId, CallFilter filter)
    {
        var byTime = filter.TimeOfDayStart is not null || filter.TimeOfDayEnd is not null;
        var byDuration = filter.DurationMin is not null || filter.DurationMax is not null;
        if (filter.Metadata is not null || filter.Voices is not null || filter.Search is not null || (byTime && byDuration)) return null;

        var sql = new SqlFilter();
        var (first, last) = WholeDays(filter);
        if (first > last)
        {
            sql.Where("account_id = {0}", accountId);
            CallStore.AddCommonFilters(sql, filter);
            return sql.ToCommand($"select count(*)::integer from {table} where {sql.Sql}");
        }
        var parts = byTime ? InBuckets(Hours, TimesOfDay(filter), "by_hour", TimeOfDay, ToTime)
            : byDuration ? InBuckets(Durations, [Duration(filter)], "by_duration", "duration", ToInterval)
            : ["+ " + Counted("total")];
        parts.AddRange(PartialDays());
        return sql.ToCommand($"select ({string.Join('\n', parts)})::integer");

        List<string> InBuckets(CountRuler ruler, IReadOnlyList<(double From, double To)> ranges, string counts, string value, Func<double, object> toSql)
        {
            var pieces = ranges.Select(ruler.Cut).ToList();
            var sums = pieces.Where(piece => piece.First < piece.End).Select(piece => $"(select sum(n) from unnest({counts}[{piece.First + 1}:{piece.End}]) n)").ToList();
            List<string> all = [sums.Count == 0 ? "0" : "+ " + Counted(string.Join(" + ", sums))];
            foreach (var (sign, from, to) in pieces.SelectMany(piece => piece.Ends))
            {
                var inRange = (double.IsInfinity(from) ? "" : sql.Text($" and {value} >= {{0}}", toSql(from))) + (double.IsInfinity(to) || IsMidnight(to) ? "" : sql.Text($" and {value} < {{0}}", toSql(to)));
                all.Add($"{sign} {Rows(OnDays() + inRange)}");
            }
            return all;

            bool IsMidnight(double to) => ruler == Hours && to >= TimeSpan.MicrosecondsPerDay;
        }

        string Counted(string value) => sql.Text(
            $"(select coalesce(sum({value}), 0) from call_counts where list = '{table}' and account_id = {{0}} and agent_id = any({{1}}) and day between {{2}} and {{3}})",
            accountId, filter.AgentIds?.ToList() ?? [""], first, last);

        string Rows(string condition)
            => $"(select count(*) from {table} where {sql.Text("account_id = {0}", accountId)}{(filter.AgentIds is { } agents ? sql.Text(" and agent_id = any({0})", agents.ToList()) : "")}{condition})";

        string OnDays() => (first == DateOnly.MinValue ? "" : sql.Text(" and created >= {0}", StartOf(first))) + (last == DateOnly.MaxValue ? "" : sql.Text(" and created < {0}", StartOf(last.AddDays(1))));

        IEnumerable<string> PartialDays()
        {
            if (filter.From is { } from && from < StartOf(first)) yield return $"+ {Rows(sql.Text(" and created >= {0} and created < {1}", from.ToUniversalTime(), StartOf(first)) + Others())}";
            if (filter.To is { } to && last < DateOnly.MaxValue && to >= StartOf(last.AddDays(1)))
                yield return $"+ {Rows(sql.Text(" and created >= {0} and created <= {1}", StartOf(last.AddDays(1)), to.ToUniversalTime()) + Others())}";
        }

        string Others()
        {
            var others = new CallFilter { TimeOfDayStart = filter.TimeOfDayStart, TimeOfDayEnd = filter.TimeOfDayEnd, DurationMin = filter.DurationMin, DurationMax = filter.DurationMax };
            return string.Concat(CallStore.CommonConditions(sql, others).Select(condition => " and " + condition));
        }
    }

    /// <summary>The days (UTC) that are in the range from their first to their last moment; none when the first is after the last.</summary>
    private static (DateOnly First, DateOnly Last) WholeDays(CallFilter filter)
    {
        var first = filter.From?.UtcDateTime is { } from ? DateOnly.FromDateTime(from).AddDays(from.TimeOfDay == TimeSpan.Zero || from.Date == DateTime.MaxValue.Date ? 0 : 1) : DateOnly.MinValue;
        if (filter.To?.UtcDateTime is not { } to) return (first, DateOnly.MaxValue);
        var last = DateOnly.FromDateTime(to);
        if (to.TimeOfDay + TimeSpan.FromMicroseconds(1) >= TimeSpan.FromDays(1)) return (first, last);
        return last == DateOnly.MinValue ? (DateOnly.MaxValue, DateOnly.MinValue) : (first, last.AddDays(-1));
    }

    private static List<(double From, double To)> TimesOfDay(CallFilter filter)
    {
        var start = Microseconds(filter.TimeOfDayStart ?? TimeOnly.MinValue);
        var end = Microseconds(filter.TimeOfDayEnd ?? TimeOnly.MaxValue) + 1;
        return start < end ? [(start, end)] : [(0, end), (start, TimeSpan.MicrosecondsPerDay)];

        static double Microseconds(TimeOnly time) => time.Ticks / TimeSpan.TicksPerMicrosecond;
    }

    private static (double From, double To) Duration(CallFilter filter) => (
        filter.DurationMin is { } min ? min.Ticks / TimeSpan.TicksPerMicrosecond : double.NegativeInfinity,
        filter.DurationMax is { } max ? (max.Ticks / TimeSpan.TicksPerMicrosecond) + 1 : double.PositiveInfinity);

    private static IEnumerable<double> Steps(int from, int step, int to)
    {
        for (var seconds = from; seconds <= to; seconds += step) yield return (double)seconds * TimeSpan.MicrosecondsPerSecond;
    }

    private static DateTimeOffset StartOf(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);

    private static object ToTime(double microseconds) => new TimeOnly((long)microseconds * TimeSpan.TicksPerMicrosecond);

    private static object ToInterval(double microseconds) => TimeSpan.FromTicks((long)microseconds * TimeSpan.TicksPerMicrosecond);
}
