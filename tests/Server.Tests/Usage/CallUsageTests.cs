using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Usage;

/// <summary>Figures of calls against a naive count of the same calls.</summary>
public sealed class CallUsageTests(SiloFixture silo)
{
    private NpgsqlDataSource Database => silo.Services.GetRequiredService<NpgsqlDataSource>();

    [Fact]
    public async Task CallUsage_IsANaiveCount_WhateverTheFilter()
    {
        var seed = Random.Shared.Next();
        var calls = new RandomCalls(seed, DateTimeOffset.UtcNow);
        using var client = await silo.CreateClientAsync();
        await calls.InsertAsync(Database, client.Account.AccountId.ToString());
        foreach (var (query, matches) in Filters(calls))
        {
            var answer = (await client.GetAsync("/api/accounts/me/usage/calls" + query)).Json;
            await OpenApiContract.AssertMatchesAsync("CallUsage", answer);
            var rows = calls.All.FindAll(matches);
            var why = $"{query}, seed {seed}";
            Assert.True(Statistics(rows) == Statistics(answer.GetProperty("allTime")), why);
            var days = rows.GroupBy(row => row.Day).OrderBy(day => day.Key).Select(day => $"{day.Key:yyyy-MM-dd} {Statistics(day)}");
            Assert.True(days.SequenceEqual(answer.GetProperty("daily").EnumerateArray().Select(day => $"{day.GetProperty("date")} {Statistics(day)}")), why);
            var hours = rows.GroupBy(row => (row.Day, row.Created.UtcDateTime.Hour)).OrderBy(hour => hour.Key).Select(hour => $"{hour.Key.Day:yyyy-MM-dd} {hour.Key.Hour} {Statistics(hour)}");
            Assert.True(hours.SequenceEqual(answer.GetProperty("hourly").EnumerateArray().Select(hour => $"{hour.GetProperty("date")} {hour.GetProperty("hour")} {Statistics(hour)}")), why);
        }
    }

    [Fact]
    public async Task AgentUsage_IsANaiveCount_AndNamesAgentsThatAreGone()
    {
        var seed = Random.Shared.Next();
        var calls = new RandomCalls(seed, DateTimeOffset.UtcNow);
        using var client = await silo.CreateClientAsync();
        var present = (await client.PostAsync("/api/agents", new { name = "Anna" })).Json.GetProperty("agentId").GetString()!;
        calls.All.RemoveAll(row => row.AgentId == calls.Agents[1] && row.Deleted is null);   // of this one, nothing has kept the name
        for (var i = 0; i < calls.All.Count; i++) if (calls.All[i].AgentId == calls.Agents[0]) calls.All[i] = calls.All[i] with { AgentId = present };
        calls.Agents[0] = present;
        await calls.InsertAsync(Database, client.Account.AccountId.ToString());
        string NameOf(string agentId) => agentId == present ? "Anna" : agentId == calls.Agents[1] ? "" : "Gone";

        foreach (var (query, matches) in Filters(calls))
        {
            var answer = (await client.GetAsync("/api/agents/usage" + query)).Json;
            foreach (var agent in answer.EnumerateArray()) await OpenApiContract.AssertMatchesAsync("AgentUsage", agent);
            var expected =
                from row in calls.All.FindAll(matches)
                where row.AgentId is not null
                group row by (Name: NameOf(row.AgentId!), row.AgentId, row.Day) into day
                orderby day.Key.Name, day.Key.AgentId, day.Key.Day
                select $"{day.Key.Name} {day.Key.AgentId} {day.Key.Day:yyyy-MM-dd} {day.Count()} {day.Sum(row => row.BilledUnits) / 10.0}";
            var actual =
                from agent in answer.EnumerateArray()
                let who = agent.GetProperty("agent")
                from day in agent.GetProperty("usage").EnumerateArray()
                select $"{who.GetProperty("name")} {who.GetProperty("agentId")} {day.GetProperty("date")} {day.GetProperty("calls")} {day.GetProperty("billedMinutes").GetDouble()}";
            Assert.True(expected.SequenceEqual(actual), $"{query}, seed {seed}");
        }
    }

    [Fact]
    public async Task ARealCall_CountsWhileItLivesAfterItEndedAndAfterItsDeletion_ForItsAccountAlone()
    {
        using var client = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        var created = (await client.PostAsync("/api/calls", "{}")).Json;
        var callId = created.GetProperty("callId").GetString()!;
        Assert.Equal((1, 0), await CountAsync());

        var grain = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(callId);
        await grain.JoinAsync(created.GetProperty("joinUrl").GetString()!.Split('/')[^1], "test 1");
        Assert.Equal((1, 1), await CountAsync());
        await grain.EndAsync(new CallOutcome(EndReason.ConnectionError));
        var ended = (await client.GetAsync("/api/accounts/me/usage/calls")).Json.GetProperty("allTime");
        Assert.Equal((1, 0.1), (ended.GetProperty("errorCount").GetInt32(), ended.GetProperty("billedMinutes").GetDouble()));
        Assert.Equal(204, (await client.DeleteAsync("/api/calls/" + callId)).Status);
        Assert.Equal(Statistics(ended), Statistics((await client.GetAsync("/api/accounts/me/usage/calls")).Json.GetProperty("allTime")));

        // Of a deleted call, neither metadata nor voice nor words are kept that a filter could match.
        Assert.Equal(0, (await client.GetAsync("/api/accounts/me/usage/calls?search=x")).Json.GetProperty("allTime").GetProperty("totalCount").GetInt32());
        Assert.Equal("""{"allTime":{"totalCount":0,"errorCount":0,"joinedCount":0,"duration":"0s","billedMinutes":0},"daily":[],"hourly":[]}""",
            (await other.GetAsync("/api/accounts/me/usage/calls")).Text);
        Assert.Equal("[]", (await other.GetAsync("/api/agents/usage")).Text);

        async Task<(int Total, int Joined)> CountAsync()
        {
            var usage = (await client.GetAsync("/api/accounts/me/usage/calls")).Json.GetProperty("allTime");
            return (usage.GetProperty("totalCount").GetInt32(), usage.GetProperty("joinedCount").GetInt32());
        }
    }

    [Theory]
    [InlineData("fromDate=yesterday", "fromDate")]
    [InlineData("agentIds=a", "agentIds")]
    [InlineData("durationMin=1", "durationMin")]
    [InlineData("timeOfDayEnd=25:00", "timeOfDayEnd")]
    public async Task AWrongFilter_400NamesIt(string query, string field)
    {
        using var client = await silo.CreateClientAsync();
        foreach (var path in (string[])["/api/accounts/me/usage/calls", "/api/agents/usage"])
        {
            var reply = await client.GetAsync($"{path}?{query}");
            Assert.Equal((400, field), (reply.Status, Assert.Single(reply.Json.EnumerateObject()).Name));
        }
    }

    private static IEnumerable<(string Query, Predicate<RandomCalls.Row> Matches)> Filters(RandomCalls calls)
    {
        var (from, to) = (calls.Busy.UtcDateTime.Date.AddDays(-3), calls.Busy.UtcDateTime.Date.AddDays(1));
        yield return ("", _ => true);
        yield return ($"?fromDate={from:yyyy-MM-dd}&toDate={to:yyyy-MM-dd}", row => row.Created >= from && row.Created < to.AddDays(1));
        yield return ($"?toDate={calls.Busy.UtcDateTime:O}", row => row.Created <= calls.Busy);
        yield return ($"?agentIds={calls.Agents[0]},{calls.Agents[1]}", row => row.AgentId == calls.Agents[0] || row.AgentId == calls.Agents[1]);
        yield return ("?durationMin=60s&durationMax=1200s", row => row is { Ended: not null, Joined: not null } && row.Duration >= TimeSpan.FromMinutes(1) && row.Duration <= TimeSpan.FromMinutes(20));
        yield return ("?timeOfDayStart=08:00:00&timeOfDayEnd=17:30:00", row => row.Created.TimeOfDay >= new TimeSpan(8, 0, 0) && row.Created.TimeOfDay <= new TimeSpan(17, 30, 0));
        yield return ("?metadata.colour=red", row => row.Colour == "red" && row.Deleted is null);
        yield return ("?toDate=9999-12-31", _ => true);
        yield return ("?fromDate=9999-12-31", _ => false);
        yield return ("?toDate=0001-01-01", _ => false);
    }

    private static string Statistics(IEnumerable<RandomCalls.Row> rows)
    {
        var calls = rows.ToList();
        var duration = TimeSpan.FromTicks(calls.Sum(row => row.Duration.Ticks));
        return $"{calls.Count} {calls.Count(row => row.IsError)} {calls.Count(row => row.Joined is not null)} {DurationConverter.Format(duration)} {calls.Sum(row => row.BilledUnits) / 10.0}";
    }

    private static string Statistics(JsonElement usage)
        => $"{usage.GetProperty("totalCount")} {usage.GetProperty("errorCount")} {usage.GetProperty("joinedCount")} {usage.GetProperty("duration")} {usage.GetProperty("billedMinutes").GetDouble()}";
}
