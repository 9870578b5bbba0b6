using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Paging;

/// <summary>Lists against a naive model: all rows sorted in memory, cut into pages.</summary>
public sealed class AgentPagingTests(SiloFixture silo)
{
    [Fact]
    public async Task Pages_ForwardsAndBack_AreTheSortedListCutUp()
    {
        using var client = await silo.CreateClientAsync();
        var names = new[] { "b", "a", "c", "a", "B", "d", "ä", "a", "c", "z", "_", "%", "" + 'y', "e", "f", "g", "h" };
        foreach (var name in names) Assert.Equal(201, (await client.PostAsync("/api/agents", new { name })).Status);
        foreach (var sort in new[] { "name", "-name", "created", "-created" })
        {
            foreach (var size in new[] { 1, 3, 17, 100 })
            {
                var forwards = await WalkAsync(client, $"/api/agents?sort={sort}&pageSize={size}", "next");
                Assert.Equal(names.Length, forwards.Rows.DistinctBy(r => r.Id).Count());
                Assert.Equal(Sorted(forwards.Rows, sort), forwards.Rows);
                Assert.Equal((names.Length + size - 1) / size, forwards.Pages.Count);
                Assert.All(forwards.Pages, page => Assert.Equal(names.Length, page.GetProperty("total").GetInt32()));
                var back = await WalkAsync(client, forwards.LastPath, "previous");
                Assert.Equal(forwards.Pages.Select(Ids), back.Pages.Select(Ids).Reverse());
            }
        }
    }

    [Fact]
    public async Task RowsThatComeAndGo_NeitherRepeatNorHideOthers()
    {
        using var client = await silo.CreateClientAsync();
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var stable = new HashSet<string>();
        for (var i = 0; i < 20; i++) stable.Add(Id((await client.PostAsync("/api/agents", new { name = $"{random.Next(10)}" })).Json));
        var seen = new List<string>();
        var passing = new Stack<string>();
        for (var path = "/api/agents?sort=name&pageSize=3"; path is not null;)
        {
            var page = (await client.GetAsync(path)).Json;
            seen.AddRange(page.GetProperty("results").EnumerateArray().Select(Id));
            path = page.GetProperty("next").GetString();
            if (random.Next(3) == 0 && passing.TryPop(out var leaves)) await client.DeleteAsync($"/api/agents/{leaves}");
            else passing.Push(Id((await client.PostAsync("/api/agents", new { name = $"{random.Next(10)}" })).Json));
        }
        Assert.True(seen.Distinct().Count() == seen.Count, $"a row came twice (seed {seed})");
        Assert.True(stable.IsSubsetOf(seen), $"a row was hidden (seed {seed})");
    }

    [Theory]
    [InlineData("a", 3)]
    [InlineData("A", 3)]   // case does not matter
    [InlineData("%", 1)]   // nor is it a pattern
    [InlineData("_", 1)]
    [InlineData("none", 0)]
    public async Task Search_FindsPartsOfNames(string search, int expected)
    {
        using var client = await silo.CreateClientAsync();
        foreach (var name in new[] { "Alpha", "beta", "gamma", "100%", "x_y", "zz" }) await client.PostAsync("/api/agents", new { name });
        var reply = await client.GetAsync($"/api/agents?search={Uri.EscapeDataString(search)}");
        Assert.Equal((expected, expected), (reply.Json.GetProperty("total").GetInt32(), reply.Json.GetProperty("results").GetArrayLength()));
    }

    [Fact]
    public async Task Links_KeepTheOtherParameters_AndAnotherSortRefusesTheCursor()
    {
        using var client = await silo.CreateClientAsync();
        for (var i = 0; i < 3; i++) await client.PostAsync("/api/agents", new { name = $"agent {i}" });
        var next = (await client.GetAsync("/api/agents?search=agent&sort=name&pageSize=1")).Json.GetProperty("next").GetString()!;
        Assert.StartsWith(silo.Address.ToString(), next);
        Assert.Contains("search=agent", next);
        Assert.Equal("agent 1", (await client.GetAsync(next)).Json.GetProperty("results")[0].GetProperty("name").GetString());
        var other = await client.GetAsync(next.Replace("sort=name", "sort=-name"));
        Assert.Equal((404, """{"detail":"Invalid cursor","code":"not_found"}"""), (other.Status, other.Text));
    }

    [Fact]
    public void ListsInMemory_AreTheSortedListCutUp() => Prop.ForAll(
        Gen.Choose(0, 40).Two().ToArbitrary(), pair =>
        {
            var (count, pageSize) = (pair.Item1, pair.Item2 + 1);
            var items = Enumerable.Range(0, count).Select(i => $"{(i * 7919) % 1000:D4}").ToList();
            var sorted = items.Order(StringComparer.Ordinal).Chunk(pageSize).ToList();
            string? cursor = null;
            foreach (var expected in sorted)
            {
                var page = Grains.Paging.KeysetList.Page(items, "s", i => i, new(cursor, pageSize));
                Assert.Equal(expected, page.Results);
                Assert.Equal(count, page.Total);
                if (cursor is not null)
                {
                    var before = Grains.Paging.KeysetList.Page(items, "s", i => i, new(page.Previous, pageSize));
                    Assert.Equal(expected[0], sorted[sorted.FindIndex(c => c[0] == before.Results[0]) + 1][0]);
                }
                cursor = page.Next;
            }
            Assert.Null(cursor);
        }).QuickCheckThrowOnFailure();

    private static async Task<(List<Row> Rows, List<JsonElement> Pages, string LastPath)> WalkAsync(ApiClient client, string path, string direction)
    {
        var (rows, pages) = (new List<Row>(), new List<JsonElement>());
        while (true)
        {
            var reply = await client.GetAsync(path);
            Assert.True(reply.Status == 200, $"{path}: {reply.Text}");
            var page = reply.Json;
            pages.Add(page);
            rows.AddRange(page.GetProperty("results").EnumerateArray().Select(Row.From));
            if (page.GetProperty(direction).GetString() is not { } next) return (rows, pages, path);
            path = next;
        }
    }

    private static IEnumerable<Row> Sorted(IEnumerable<Row> rows, string sort) => sort switch
    {
        "name" => rows.OrderBy(r => r.Name, StringComparer.Ordinal).ThenBy(r => r.Id, StringComparer.Ordinal),
        "-name" => rows.OrderByDescending(r => r.Name, StringComparer.Ordinal).ThenByDescending(r => r.Id, StringComparer.Ordinal),
        "created" => rows.OrderBy(r => r.Created, StringComparer.Ordinal).ThenBy(r => r.Id, StringComparer.Ordinal),
        _ => rows.OrderByDescending(r => r.Created, StringComparer.Ordinal).ThenByDescending(r => r.Id, StringComparer.Ordinal),
    };

    private static string Ids(JsonElement page) => string.Join(",", page.GetProperty("results").EnumerateArray().Select(Id));

    private static string Id(JsonElement agent) => agent.GetProperty("agentId").GetString()!;

    private sealed record Row(string Id, string Name, string Created)
    {
        public static Row From(JsonElement agent) => new(AgentPagingTests.Id(agent), agent.GetProperty("name").GetString()!, agent.GetProperty("created").GetString()!);
    }
}
