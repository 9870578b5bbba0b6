using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>Any filter, and what it means said as plainly as possible.</summary>
internal static class CallFilters
{
    private const int SometimesSet = 3;

    /// <summary>Each part of it is set in one filter of three; limits are near or exactly at values that calls have.</summary>
    public static Gen<CallFilter> Any(IReadOnlyList<ListedCall> calls)
    {
        var call = Gen.Elements(calls.AsEnumerable());
        var nudge = Gen.Elements(-1L, 0L, 0L, 1L, 1_000_000L, -1_800_000_000L);
        var instant = Gen.Zip(call, nudge).Select(at => at.Item1.Created + TimeSpan.FromMicroseconds(at.Item2));
        var day = call.Select(at => new DateTimeOffset(at.Created.UtcDateTime.Date, TimeSpan.Zero));
        var time = Gen.OneOf(
            instant.Select(at => TimeOnly.FromDateTime(at.UtcDateTime)), Gen.Choose(0, 23).Select(hour => new TimeOnly(hour, 0)), Gen.Choose(0, 23).Select(hour => new TimeOnly(hour, 59, 59)));
        var duration = Gen.OneOf(
            Gen.Zip(call, nudge).Select(at => TimeSpan.FromMicroseconds(Math.Max(0, (at.Item1.Duration ?? TimeSpan.Zero).TotalMicroseconds + at.Item2))), Gen.Choose(0, 60).Select(n => TimeSpan.FromSeconds(30 * n)));
        return
            from agents in Sometimes(Gen.OneOf(Gen.Elements(ListedCalls.Agents).Select(agent => new[] { agent }), Gen.SubListOf(ListedCalls.Agents).Select(some => some.Append("none").ToArray())))
            from since in SometimesValue(Gen.OneOf(instant, day))
            from to in SometimesValue(Gen.OneOf(instant, day.Select(start => start.AddDays(1).AddMicroseconds(-1))))
            from timeStart in SometimesValue(time)
            from timeEnd in SometimesValue(time)
            from min in SometimesValue(duration)
            from max in SometimesValue(duration)
            from metadata in Sometimes(Gen.Elements(("source", "web"), ("source", "phone"), ("campaign", "3"), ("campaign", "9")))
            from voices in Sometimes(Gen.Elements<string[]>(["MARK"], ["Tanya", "none"], ["none"]))
            from search in Sometimes(Gen.Elements("refund", "monday REFUND", "ärger", "über", "hidden", "straße the", "%"))
            from sort in Gen.Elements(Enum.GetValues<CallSort>())
            from down in Gen.Elements(true, false)
            from rarely in Gen.Choose(0, 2)
            select new CallFilter
            {
                AgentIds = agents, From = since, To = to, TimeOfDayStart = timeStart, TimeOfDayEnd = timeEnd, DurationMin = rarely == 0 ? null : min, DurationMax = rarely == 0 ? null : max,
                Metadata = rarely == 1 || metadata.Item1 is null ? null : new Dictionary<string, string> { [metadata.Item1] = metadata.Item2 },
                Voices = rarely == 1 ? null : voices, Search = rarely == 1 ? null : search, Sort = sort, Descending = down,
            };
    }

    /// <summary>In the filter's order. A call without the sorted value comes after all others.</summary>
    public static List<ListedCall> Matching(IReadOnlyList<ListedCall> calls, CallFilter filter)
    {
        var found = calls.Where(call => Matches(call, filter)).Select(call => (Key: Key(call, filter.Sort), Call: call)).ToList();
        var way = filter.Descending ? -1 : 1;
        found.Sort((a, b) => (a.Key, b.Key) switch
        {
            (null, not null) => 1,
            (not null, null) => -1,
            var (x, y) when x == y => way * string.CompareOrdinal(a.Call.CallId, b.Call.CallId),
            var (x, y) => way * x!.Value.CompareTo(y!.Value),
        });
        return found.ConvertAll(pair => pair.Call);
    }

    private static bool Matches(ListedCall call, CallFilter filter)
    {
        var time = TimeOnly.FromDateTime(call.Created.UtcDateTime);
        var (start, end) = (filter.TimeOfDayStart ?? TimeOnly.MinValue, filter.TimeOfDayEnd ?? TimeOnly.MaxValue);
        return (filter.AgentIds is null || filter.AgentIds.Contains(call.AgentId))
            && !(call.Created < filter.From) && !(call.Created > filter.To)
            && (start <= end ? time >= start && time <= end : time >= start || time <= end)
            && (filter.DurationMin is null || call.Duration >= filter.DurationMin) && (filter.DurationMax is null || call.Duration <= filter.DurationMax)
            && (filter.Metadata is null || filter.Metadata.All(pair => call.Metadata.TryGetValue(pair.Key, out var value) && value == pair.Value))
            && (filter.Voices is null || filter.Voices.Any(voice => string.Equals(voice, call.Voice, StringComparison.OrdinalIgnoreCase)))
            && (filter.Search is null || Has(call.Words, filter.Search));
    }

    private static bool Has(string words, string search)
        => search != "%" && search.Split(' ').All(word => words.Split(' ').Any(said => string.Equals(said, word, StringComparison.InvariantCultureIgnoreCase)));

    private static long? Key(ListedCall call, CallSort sort) => sort switch
    {
        CallSort.Created => call.Created.Ticks,
        CallSort.Joined => call.Joined?.Ticks,
        CallSort.Ended => call.Ended?.Ticks,
        _ => call.Duration?.Ticks,
    };

    private static Gen<T?> Sometimes<T>(Gen<T> some) => Gen.Zip(Gen.Choose(1, SometimesSet), some).Select(pair => pair.Item1 == 1 ? pair.Item2 : default);

    private static Gen<T?> SometimesValue<T>(Gen<T> some) where T : struct => Gen.Zip(Gen.Choose(1, SometimesSet), some).Select(pair => pair.Item1 == 1 ? pair.Item2 : (T?)null);
}
