using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Bench.Lists;

/// <summary>Every list and filter over a million calls: how long the database takes, and how it goes about it.</summary>
internal static class ListScenario
{
    private const double TargetMs = 50;
    private const int Rounds = 7;
    private static readonly Option<long> Calls = new("--calls") { Description = "Calls in the database.", DefaultValueFactory = _ => 1_000_000 };
    private static readonly Option<bool> Plans = new("--plans") { Description = "Print the plan of each statement, as auto_explain gives it." };
    private static readonly Option<string?> Postgres = new("--postgres") { Description = "A database that an earlier run filled, or an empty one; default: a private one." };

    public static Command Command()
    {
        var command = new Command("lists", "Lists of a million calls: every filter and order, first page, deep page, backwards.") { Calls, Plans, Postgres };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult given, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        await using var own = given.GetValue(Postgres) is null ? await PostgresServer.CreateDatabaseAsync(cancellationToken, durable: true) : null;
        var connection = given.GetValue(Postgres) ?? own!.ConnectionString;
        await using var database = NpgsqlDataSource.Create(connection);
        var watch = Stopwatch.StartNew();
        if (await ListDatabase.ScalarAsync<bool>(database, "select to_regclass('calls') is null", cancellationToken))
        {
            await ListDatabase.FillAsync(database, given.GetValue(Calls), cancellationToken);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"filled in {watch.Elapsed.TotalSeconds:0} s"));
        }
        using var plans = new PlanLog();
        await using var explained = plans.Connect(connection);
        Console.WriteLine($"\n| list | first page ms | deep page ms | backwards ms | total |\n|---|---|---|---|---|");
        var isSlow = false;
        foreach (var list in await ListsAsync(database, cancellationToken))
        {
            var (first, page) = await TimeAsync(database, list, null, cancellationToken);
            var (deep, _) = list.Deep is null ? (0, page) : await TimeAsync(database, list, list.Deep, cancellationToken);
            var (back, _) = list.Back is null ? (0, page) : await TimeAsync(database, list, list.Back, cancellationToken);
            var worst = Math.Max(first, Math.Max(deep, back));
            isSlow |= worst > TargetMs;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {list.Name} | {first:0.0} | {(list.Deep is null ? "" : $"{deep:0.0}")} | {(list.Back is null ? "" : $"{back:0.0}")} | {page.Total?.ToString(CultureInfo.InvariantCulture) ?? "left out"}{(worst > TargetMs ? " **slow**" : "")} |"));
            if (!given.GetValue(Plans) && worst <= TargetMs) continue;
            await list.Read(explained, list.Deep, cancellationToken);
            plans.Print();
        }
        Console.WriteLine("\n" + Scenario.Machine());
        return isSlow ? CliException.CallFailed : 0;
    }

    /// <summary>The median, and the page; the first round fills caches.</summary>
    private static async Task<(double Ms, ListPage Page)> TimeAsync(NpgsqlDataSource database, MeasuredList list, string? cursor, CancellationToken cancellationToken)
    {
        var page = await list.Read(database, cursor, cancellationToken);
        var times = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var watch = Stopwatch.StartNew();
            await list.Read(database, cursor, cancellationToken);
            times.Add(watch.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        return (times[Rounds / 2], page);
    }

    private static async Task<List<MeasuredList>> ListsAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var middle = await ListDatabase.ScalarAsync<DateTime>(database, $"select min(created) + (max(created) - min(created)) / 2 from calls where account_id = '{ListDatabase.Large}'", cancellationToken);
        var small = await ListDatabase.ScalarAsync<string>(database, $"select account_id from calls where account_id <> '{ListDatabase.Large}' limit 1", cancellationToken);
        DateTimeOffset half = new(middle, TimeSpan.Zero);
        List<MeasuredList> lists =
        [
            Of("all", new()), Of("all, oldest first", new() { Descending = false }), Of("by join", new() { Sort = CallSort.Joined }), Of("by end", new() { Sort = CallSort.Ended }),
            Of("by duration", new() { Sort = CallSort.Duration }), Of("by duration, shortest first", new() { Sort = CallSort.Duration, Descending = false }),
            Of("an agent", new() { AgentIds = [ListDatabase.Agent] }), Of("two agents by duration", new() { AgentIds = [ListDatabase.Agent, "none"], Sort = CallSort.Duration }),
            Of("no such agent", new() { AgentIds = ["none"] }), Of("half a year", new() { From = half.AddHours(1.5) }), Of("three old days", new() { From = half.AddDays(-3), To = half }),
            Of("office hours", new() { TimeOfDayStart = new(9, 0), TimeOfDayEnd = new(17, 0) }), Of("over midnight", new() { TimeOfDayStart = new(22, 30, 17), TimeOfDayEnd = new(3, 3, 3) }),
            Of("one second of the day", new() { TimeOfDayStart = new(3, 3, 3), TimeOfDayEnd = new(3, 3, 4) }),
            Of("5 minutes and longer", new() { DurationMin = TimeSpan.FromMinutes(5) }), Of("37.3 s to 8:13", new() { DurationMin = TimeSpan.FromSeconds(37.3), DurationMax = TimeSpan.FromSeconds(493) }),
            Of("longest hundredth of a second", new() { DurationMin = TimeSpan.FromSeconds(899.99) }), Of("longer than any", new() { DurationMin = TimeSpan.FromHours(5) }),
            Of("an agent, long, half a year", new() { AgentIds = [ListDatabase.Agent], DurationMin = TimeSpan.FromMinutes(10), From = half }),
            Of("metadata: a third", Metadata("source", "web")), Of("metadata: one old campaign", Metadata("campaign", "c7")), Of("metadata: one call", Metadata("customer", "77777")),
            Of("metadata: none", Metadata("customer", "nobody")), Of("metadata: a campaign's web calls, by duration", new() { Metadata = new Dictionary<string, string> { ["campaign"] = "c7", ["source"] = "web" }, Sort = CallSort.Duration }),
            Of("a voice", new() { Voices = ["Mark"] }), Of("no such voice", new() { Voices = ["Nobody"] }), Of("a voice, long, at night", new() { Voices = ["Mark"], DurationMin = TimeSpan.FromMinutes(14), TimeOfDayEnd = new(3, 0) }),
            Of("words: in all", new() { Search = "hello thanks" }), Of("words: in a hundredth", new() { Search = "hundredth7" }), Of("words: in 20", new() { Search = "rare4711" }),
            Of("words: one old campaign", new() { Search = "campaign7 hello" }), Of("words: none", new() { Search = "nonsense" }), Of("words, voice, agent", new() { Search = "thousandth7", Voices = ["Aaron"], AgentIds = [ListDatabase.Agent] }),
            Of("a small account", new(), small), Of("a small account: words in all", new() { Search = "hello" }, small), Of("a small account: metadata", Metadata("source", "web"), small),
            Of("a small account: long calls by end", new() { DurationMin = TimeSpan.FromMinutes(5), Sort = CallSort.Ended }, small), Of("no calls at all", new(), "nobody"),
        ];
        CallFilter[] ofDeleted = [new(), new() { AgentIds = [ListDatabase.Agent] }, new() { DurationMin = TimeSpan.FromMinutes(5) }, new() { TimeOfDayStart = new(22, 30), TimeOfDayEnd = new(3, 3) }, new() { From = half }];
        foreach (var filter in ofDeleted) lists.Add(Deleted(filter));
        lists.Add(new("agents and their calls", async (from, cursor, stop) =>
            ListPage.Of(await new AgentStore(from, Json).ListAsync(ListDatabase.Large, null, new(cursor, 10), AgentStore.ByName, false, stop)), null, null));
        return lists;

        MeasuredList Of(string name, CallFilter filter, string account = ListDatabase.Large) => new(
            name, async (from, cursor, stop) => ListPage.Of(await new CallStore(from, Json).ListAsync(account, filter, new PageRequest(cursor, 10), stop)),
            Middle(filter, middle, false), Middle(filter, middle, true));

        MeasuredList Deleted(CallFilter filter) => new(
            $"deleted: {(filter == ofDeleted[0] ? "all" : filter.AgentIds is not null ? "an agent" : filter.DurationMin is not null ? "5 minutes and longer" : filter.From is null ? "over midnight" : "half a year")}",
            async (from, cursor, stop) => ListPage.Of(await new CallStore(from, Json).ListDeletedAsync(ListDatabase.Large, filter, new PageRequest(cursor, 10), stop)),
            Middle(filter, middle, false), Middle(filter, middle, true));
    }

    private static SealedJson Json { get; } = new(new SecretKey(new byte[32]));

    private static CallFilter Metadata(string key, string value) => new() { Metadata = new Dictionary<string, string> { [key] = value } };

    private static string Middle(CallFilter filter, DateTime middle, bool backwards) => new PageCursor(
        (filter.Descending ? "-" : "") + filter.Sort.ToString().ToLowerInvariant(), backwards,
        filter.Sort == CallSort.Duration ? "00:07:30" : middle.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + "+00", "7").Encode();

    /// <param name="Read">Reads the page at a cursor.</param>
    /// <param name="Deep">Cursor in the middle of the list; null where it has but one page.</param>
    /// <param name="Back">The same for the page before it.</param>
    private sealed record MeasuredList(string Name, Func<NpgsqlDataSource, string?, CancellationToken, Task<ListPage>> Read, string? Deep, string? Back);

    private sealed record ListPage(int Count, int? Total)
    {
        public static ListPage Of<T>(Page<T> page) => new(page.Results.Count, page.Total);
    }
}
