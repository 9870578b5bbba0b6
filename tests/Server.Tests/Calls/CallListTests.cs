using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Calls;

/// <summary>Lists of calls: every call once whatever the page size, and the filters.</summary>
public sealed class CallListTests(SiloFixture silo)
{
    [Fact]
    public async Task Pages_HoldEveryCallOnce_ForwardsAndBackwards_WhileOthersComeAndGo()
    {
        using var client = await silo.CreateClientAsync();
        var all = new List<string>();
        for (var i = 0; i < 23; i++) all.Insert(0, await CreateAsync(client));
        foreach (var (pageSize, sort) in Gen.Sample(Gen.Zip(Gen.Choose(1, 30), Gen.Elements("-created", "created", "-joined", "ended", "duration")), 12))
        {
            var expected = sort == "-created" ? all : null;
            var (forwards, last) = await WalkAsync(client, $"/api/calls?pageSize={pageSize}&sort={sort}", "next");
            var (backwards, _) = await WalkAsync(client, last, "previous");
            Assert.Equal(all.Order(), forwards.Order());
            if (expected is not null) Assert.Equal(expected, forwards);
            if (sort == "created") Assert.Equal(all.AsEnumerable().Reverse(), forwards);
            // Walking back from the last page meets the same calls, page by page.
            Assert.Equal(all.Order(), backwards.Order());
        }

        // A call that is created or deleted meanwhile moves no other.
        var page = (await client.GetAsync("/api/calls?pageSize=5")).Json;
        Assert.Equal(23, page.GetProperty("total").GetInt32());
        await CreateAsync(client);
        await client.DeleteAsync("/api/calls/" + all[0]);
        var next = (await client.GetAsync(page.GetProperty("next").GetString()!)).Json;
        Assert.Equal(all[5..10], Ids(next));
    }

    [Fact]
    public async Task Filters_SelectByAgentDateDurationMetadataAndWords()
    {
        using var client = await silo.CreateClientAsync();
        var red = await CreateAsync(client, """{"metadata":{"colour":"red","size":"1"}}""");
        var blue = await CreateAsync(client, """{"metadata":{"colour":"blue","size":"1"},"initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"only before"}]}""");
        var longCall = await CreateAsync(client);
        await ExecuteAsync("update calls set created = '2026-01-31 23:30:00Z', joined = '2026-02-01 00:00:00Z', ended = '2026-02-01 00:05:00Z', agent_id = '11111111-1111-1111-1111-111111111111' where call_id = $1", longCall);
        await ExecuteAsync("insert into call_messages values ($1, 's', 0, false, '{\"text\":\"my 100% Order\"}')", longCall);

        await AssertFoundAsync("metadata.colour=red", red);
        await AssertFoundAsync("metadata.size=1&metadata.colour=blue", blue);
        await AssertFoundAsync("metadata.size=1", blue, red);
        await AssertFoundAsync("metadata.size=2");
        await AssertFoundAsync("fromDate=2026-01-31&toDate=2026-01-31", longCall);
        await AssertFoundAsync("toDate=2026-01-31T23:30:00Z", longCall);
        await AssertFoundAsync("toDate=2026-01-31T23:29:59.999999Z");
        await AssertFoundAsync("fromDate=2026-02-01", blue, red);
        await AssertFoundAsync("durationMin=300s", longCall);
        await AssertFoundAsync("durationMin=300.001s");
        await AssertFoundAsync("durationMax=300s", longCall);
        await AssertFoundAsync("toDate=2026-02-01&timeOfDayStart=23:30:00", longCall);
        await AssertFoundAsync("toDate=2026-02-01&timeOfDayStart=23:30:01&timeOfDayEnd=23:00");        // over midnight
        await AssertFoundAsync("toDate=2026-02-01&timeOfDayStart=23:30:00Z&timeOfDayEnd=23:30:00.5Z", longCall);      // OpenAPI's "time" has an offset
        await AssertFoundAsync("toDate=2026-02-01&timeOfDayStart=01:30:00%2B02:00&timeOfDayEnd=18:30:00-05:00", longCall);
        await AssertFoundAsync("toDate=2026-02-01&timeOfDayStart=01:30:01+02:00&timeOfDayEnd=23:59Z");
        await AssertFoundAsync("agentIds=11111111-1111-1111-1111-111111111111", longCall);
        await AssertFoundAsync("agentIds=11111111-1111-1111-1111-111111111112,11111111-1111-1111-1111-111111111111", longCall);
        await AssertFoundAsync("agentIds=11111111-1111-1111-1111-111111111112");
        await AssertFoundAsync("search=100%25 order", longCall);
        await AssertFoundAsync("search=order MY", longCall);     // words in any order and case, in any message
        await AssertFoundAsync("search=order 100 yours");
        await AssertFoundAsync("search=ord");                    // but whole
        await AssertFoundAsync("search=%25");
        await AssertFoundAsync("search=only before");

        async Task AssertFoundAsync(string query, params string[] expected)
            => Assert.Equal(expected, Ids((await client.GetAsync("/api/calls?" + query.Replace(" ", "%20", StringComparison.Ordinal))).Json));
    }

    [Fact]
    public async Task MessagesAndEvents_ComeInPagesAndBySeverity()
    {
        using var client = await silo.CreateClientAsync();
        var callId = await CreateAsync(client);
        var journal = silo.Services.GetRequiredService<Grains.Calls.ICallJournal>();
        var stage = (await silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(callId).GetAsync()).Stage.CallStageId;
        for (var i = 0; i < 12; i++)
        {
            journal.Write(callId, 0, new Message { Role = MessageRole.Agent, Text = $"m{i}", CallStageId = stage, CallStageMessageIndex = i, Timespan = new(TimeSpan.Zero, TimeSpan.FromSeconds(i)) });
            journal.Write(0, new CallEvent(callId, stage, TimeSpan.FromSeconds(i), (Severity)(i % 4), i % 2 == 0 ? "even" : "odd", $"e{i}", null, null));
        }
        await journal.FlushAsync(callId, SiloFixture.Cancel);

        var path = $"/api/calls/{callId}";
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"m{i}"), await TextsAsync($"{path}/messages?pageSize=5&mode=in_call"));
        Assert.Equal(Enumerable.Range(0, 12).Where(i => i % 4 >= 1).Select(i => $"e{i}"), await TextsAsync($"{path}/events?pageSize=2"));
        Assert.Equal(["e3", "e7", "e11"], await TextsAsync($"{path}/events?minimum_severity=error"));
        Assert.Equal(["e0", "e2", "e4", "e6", "e8", "e10"], await TextsAsync($"{path}/events?minimum_severity=debug&type=even&pageSize=4"));
        Assert.Equal(3, (await client.GetAsync($"{path}/stages/{stage}")).Json.GetProperty("errorCount").GetInt32());

        async Task<List<string?>> TextsAsync(string? url)
        {
            var texts = new List<string?>();
            while (url is not null)
            {
                var page = (await client.GetAsync(url)).Json;
                texts.AddRange(page.GetProperty("results").EnumerateArray().Select(item => item.GetProperty("text").GetString()));
                url = page.GetProperty("next").GetString();
            }
            return texts;
        }
    }

    private static async Task<(List<string> Ids, string LastUrl)> WalkAsync(ApiClient client, string url, string direction)
    {
        var pages = new List<List<string>>();
        for (string? next = url; next is not null;)
        {
            url = next;
            var page = (await client.GetAsync(url)).Json;
            pages.Add(Ids(page));
            next = page.GetProperty(direction).GetString();
        }
        if (direction == "previous") pages.Reverse();
        return ([.. pages.SelectMany(ids => ids)], url);
    }

    private static async Task<string> CreateAsync(ApiClient client, string body = "{}") => (await client.PostAsync("/api/calls", body)).Json.GetProperty("callId").GetString()!;

    private static List<string> Ids(JsonElement page) => [.. page.GetProperty("results").EnumerateArray().Select(call => call.GetProperty("callId").GetString()!)];

    private async Task ExecuteAsync(string sql, string callId)
    {
        await using var command = silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        command.Parameters.Add(new() { Value = callId });
        await command.ExecuteNonQueryAsync(SiloFixture.Cancel);
    }
}
