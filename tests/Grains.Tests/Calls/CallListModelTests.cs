using FsCheck;
using FsCheck.Fluent;
using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>Lists of thousands of calls in PostgreSQL against the same calls in memory, where nothing is clever.</summary>
public sealed class CallListModelTests(ListedCalls calls) : IClassFixture<ListedCalls>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private NpgsqlDataSource Database => calls.Database;

    private CallStore Store => calls.Store;

    [Theory]
    [InlineData(CallListQuery.Few)]   // all matches are collected
    [InlineData(40)]                  // of many, the order is walked
    public async Task AnyFilterInAnyOrder_GivesTheMatchingCallsPageByPage_ThereAndBack(int few)
    {
        var all = calls.All;
        var store = calls.StoreWith(few);
        foreach (var (filter, size) in Gen.Sample(Gen.Zip(CallFilters.Any(all), Gen.Choose(1, 100)), 50))
        {
            var expected = CallFilters.Matching(all, filter).ConvertAll(call => call.CallId);
            // Some pages from the start, then back again.
            var (seen, page) = (new List<string>(), default(Page<CallSnapshot>)!);
            for (string? cursor = null; ; cursor = page.Next)
            {
                page = await store.ListAsync(calls.AccountId, filter, new(cursor, size), Cancel);
                AssertTotal(expected.Count, few, page.Total, filter);
                seen.AddRange(Ids(page));
                Assert.True(expected.Take(seen.Count).SequenceEqual(seen) && (page.Next is null) == (seen.Count == expected.Count), $"page of {size} after {seen.Count}: {filter}");
                if (page.Next is null || seen.Count >= 3 * size) break;
            }
            for (var start = seen.Count - page.Results.Count; page.Previous is { } previous; start -= size)
            {
                page = await store.ListAsync(calls.AccountId, filter, new(previous, size), Cancel);
                Assert.True(expected[(start - size)..start].SequenceEqual(Ids(page)) && page.Next is not null, $"page of {size} before {start}: {filter}");
            }
        }
    }

    [Theory]
    [InlineData(CallListQuery.Few)]
    [InlineData(5)]
    public async Task DeletedCalls_TakeTheSameFilters_ButOfWordsMetadataAndVoicesNothingIsKept(int few)
    {
        var all = calls.Deleted;
        foreach (var filter in Gen.Sample(CallFilters.Any(all), 40))
        {
            var kept = filter.Metadata is null && filter.Voices is null && filter.Search is null;
            var newestFirst = filter with { Sort = CallSort.Created, Descending = true };
            var expected = kept ? CallFilters.Matching(all, newestFirst).ConvertAll(call => call.CallId) : [];
            var page = await calls.StoreWith(few).ListDeletedAsync(calls.AccountId, filter, new(null, 100), Cancel);
            AssertTotal(expected.Count, few, page.Total, filter);
            Assert.True(expected.Take(100).SequenceEqual(page.Results.Select(call => call.CallId)), $"{filter}");
        }
    }

    [Fact]
    public async Task CallsThatComeAndGoBetweenPages_NeitherRepeatNorHideOthers_AndTheTotalCountsThem()
    {
        var (account, random) = (Guid.NewGuid().ToString(), new Random(Random.Shared.Next()));
        var stable = ListedCalls.Random(random, 300);
        await ListedCalls.InsertAsync(Database, account, stable, Cancel);
        foreach (var filter in Gen.Sample(CallFilters.Any(stable), 4))
        {
            var passing = new Queue<ListedCall>();
            var seen = new List<string>();
            var left = new HashSet<string>();
            string? cursor = null;
            do
            {
                var page = await Store.ListAsync(account, filter, new(cursor, 17), Cancel);
                Assert.True(CallFilters.Matching([.. stable, .. passing], filter).Count == page.Total, $"total {page.Total}: {filter}");
                seen.AddRange(Ids(page));
                cursor = page.Next;
                var come = ListedCalls.Random(random, 3);
                await ListedCalls.InsertAsync(Database, account, come, Cancel);
                come.ForEach(passing.Enqueue);
                if (passing.Count > 6) await DeleteAsync(account, [.. Enumerable.Range(0, 4).Select(_ => passing.Dequeue().CallId)]);
            }
            while (cursor is not null);
            Assert.True(seen.Distinct().Count() == seen.Count, $"a call came twice: {filter}");
            Assert.True(CallFilters.Matching(stable, filter).TrueForAll(call => seen.Contains(call.CallId)), $"a call was hidden: {filter}");
            await DeleteAsync(account, [.. passing.Select(call => call.CallId)]);
        }
    }

    [Fact]
    public async Task CountsOfDays_AreWhatARecountFinds_WhateverHappenedToTheCalls()
    {
        var account = Guid.NewGuid().ToString();
        await ListedCalls.InsertAsync(Database, account, ListedCalls.Random(new Random(Random.Shared.Next()), 500), Cancel);
        await ExecuteAsync(account, """
            update calls set ended = null where account_id = $1 and random() < 0.1;
            """);
        await ExecuteAsync(account, "update calls set ended = coalesce(joined, created) + random() * interval '2 hours' where account_id = $1 and random() < 0.3");
        await ExecuteAsync(account, "update calls set agent_id = null, created = created + interval '5 hours' where account_id = $1 and random() < 0.1");
        await ExecuteAsync(account, "delete from calls where account_id = $1 and random() < 0.3");
        var kept = await CountsAsync(account);
        await ExecuteAsync(null, "call recount_calls()");
        Assert.NotEmpty(kept);
        Assert.Equal(await CountsAsync(account), kept);
    }

    [Fact]
    public async Task CallsCreatedAtOnce_AreAllCounted()
    {
        var account = Guid.NewGuid().ToString();
        var some = ListedCalls.Random(new Random(1), 60, agents: 1);
        await Task.WhenAll(some.Chunk(3).Select(few => ListedCalls.InsertAsync(Database, account, few, Cancel)));
        Assert.Equal(60, (await Store.ListAsync(account, new CallFilter(), new(null, 1), Cancel)).Total);
    }

    /// <summary>It may be left out where there are many and the counts of days do not tell.</summary>
    private static void AssertTotal(int expected, int few, int? total, CallFilter filter)
    {
        var isCounted = CallTotals.Of("calls", "", filter) is not null;
        Assert.True(expected == total || (total is null && !isCounted && expected > few), $"{total} for {expected}: {filter}");
    }

    private static IEnumerable<string> Ids(Page<CallSnapshot> page) => page.Results.Select(call => call.Settings.CallId);

    private async Task<List<string>> CountsAsync(string account)
    {
        await using var command = Database.CreateCommand("""
            select concat_ws(' ', agent_id, day, sum(total), (select array_agg(n) from (select sum(n) as n from call_counts c, unnest(c.by_hour) with ordinality u(n, place)
                where c.list = 'calls' and c.account_id = $1 and (c.agent_id, c.day) = (k.agent_id, k.day) group by place order by place) hours),
                (select array_agg(n) from (select sum(n) as n from call_counts c, unnest(c.by_duration) with ordinality u(n, place)
                where c.list = 'calls' and c.account_id = $1 and (c.agent_id, c.day) = (k.agent_id, k.day) group by place order by place) durations))
            from call_counts k where list = 'calls' and account_id = $1 group by agent_id, day having sum(total) <> 0 order by agent_id, day
            """);
        command.Parameters.Add(new() { Value = account });
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var counts = new List<string>();
        while (await reader.ReadAsync(Cancel)) counts.Add(reader.GetString(0));
        return counts;
    }

    private async Task DeleteAsync(string account, string[] callIds)
    {
        await using var command = Database.CreateCommand("delete from calls where account_id = $1 and call_id = any($2)");
        command.Parameters.Add(new() { Value = account });
        command.Parameters.Add(new() { Value = callIds });
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private async Task ExecuteAsync(string? account, string sql)
    {
        await using var command = Database.CreateCommand(sql);
        if (account is not null) command.Parameters.Add(new() { Value = account });
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
