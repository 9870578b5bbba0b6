using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Usage;

/// <summary>The concurrency series against a naive one.</summary>
public sealed class ConcurrencyTests(SiloFixture silo)
{
    private const string Route = "/api/accounts/me/usage/concurrency";

    [Theory]
    [InlineData("minute", 60, 3)]
    [InlineData("5min", 300, 12)]
    [InlineData("hour", 3600, 24 * 12)]
    [InlineData("day", 86_400, 24 * 40)]
    public async Task EveryBucket_HasThePeaksAndAveragesOfANaiveCount(string bucket, int seconds, int hours)
    {
        var seed = Random.Shared.Next();
        var now = DateTimeOffset.UtcNow;
        var calls = new RandomCalls(seed, now);
        using var client = await silo.CreateClientAsync();
        await calls.InsertAsync(silo.Services.GetRequiredService<NpgsqlDataSource>(), client.Account.AccountId.ToString());
        // Neither end on a boundary, both in the busy time or around it.
        var start = calls.Busy.AddMinutes(37).AddHours(hours > 24 ? -hours / 2 : 0);
        var end = start.AddHours(hours) < now ? start.AddHours(hours) : now;
        start = new DateTimeOffset(start.UtcTicks - start.UtcTicks % 10, TimeSpan.Zero);
        end = new DateTimeOffset(end.UtcTicks - end.UtcTicks % 10, TimeSpan.Zero);

        var answer = (await client.GetAsync($"{Route}?bucket={bucket}&start={start.UtcDateTime:O}&end={end.UtcDateTime:O}")).Json;
        await OpenApiContract.AssertMatchesAsync("ConcurrencyResponse", answer);
        var length = TimeSpan.FromSeconds(seconds);
        var at = new DateTimeOffset(start.UtcTicks - start.UtcTicks % length.Ticks, TimeSpan.Zero);
        var isBusy = false;
        foreach (var actual in answer.GetProperty("timeSeries").EnumerateArray())
        {
            var until = at + length < end ? at + length : end;
            var (maxTotal, avgTotal) = Measure(calls.All.Select(call => (call.Created, call.Ended ?? DateTimeOffset.MaxValue)), at, until);
            var (maxJoined, avgJoined) = Measure(
                calls.All.Where(call => call.Joined is not null).Select(call => (call.Joined!.Value, call.Ended ?? DateTimeOffset.MaxValue)), at, until);
            var why = $"{at:O}, seed {seed}";
            Assert.True(at == actual.GetProperty("timestamp").GetDateTimeOffset(), why);
            Assert.True((maxTotal, maxJoined) == (actual.GetProperty("maxTotalCalls").GetInt32(), actual.GetProperty("maxJoinedCalls").GetInt32()), why);
            Assert.True(Math.Abs(avgTotal - actual.GetProperty("avgTotalCalls").GetDouble()) < 1e-6, why);
            Assert.True(Math.Abs(avgJoined - actual.GetProperty("avgJoinedCalls").GetDouble()) < 1e-6, why);
            isBusy |= maxTotal > 1;
            at = until;
        }
        Assert.Equal(end, at);
        Assert.True(isBusy, $"seed {seed}");
    }

    [Fact]
    public async Task ByDefault_TheLastDayInMinutes_OfTheAccountAlone()
    {
        using var client = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        await client.PostAsync("/api/calls", "{}");
        var series = (await client.GetAsync(Route)).Json.GetProperty("timeSeries").EnumerateArray().ToList();
        Assert.InRange(series.Count, 1440, 1441);
        Assert.Equal((1, 0), (series[^1].GetProperty("maxTotalCalls").GetInt32(), series[^1].GetProperty("maxJoinedCalls").GetInt32()));
        Assert.Equal(0, series[0].GetProperty("maxTotalCalls").GetInt32());
        Assert.All((await other.GetAsync(Route)).Json.GetProperty("timeSeries").EnumerateArray(), bucket => Assert.Equal(0, bucket.GetProperty("maxTotalCalls").GetInt32()));
    }

    [Theory]
    [InlineData("?bucket=week", "bucket")]
    [InlineData("?start=2026-01-01&end=2026-01-09", "bucket")]                 // more than a week of minutes
    [InlineData("?bucket=day&start=2024-01-01&end=2026-01-09", "start")]
    [InlineData("?start=2026-01-02&end=2026-01-01", "start")]
    [InlineData("?start=9999-12-31", "start")]
    [InlineData("?start=0001-01-01&end=0001-01-02", "end")]
    [InlineData("?end=soon", "end")]
    public async Task AWrongRange_400NamesIt(string query, string field)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.GetAsync(Route + query);
        Assert.Equal((400, field), (reply.Status, Assert.Single(reply.Json.EnumerateObject()).Name));
    }

    [Fact]
    public async Task AFutureRange_IsEmpty()
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal("""{"timeSeries":[]}""", (await client.GetAsync(Route + "?start=9000-01-01&end=9000-01-02")).Text);
    }

    private static (int Max, double Average) Measure(IEnumerable<(DateTimeOffset From, DateTimeOffset To)> spans, DateTimeOffset from, DateTimeOffset to)
    {
        var live = spans.Where(span => span.From < to && span.To > from && span.From < span.To)
            .Select(span => (From: span.From > from ? span.From : from, To: span.To < to ? span.To : to)).ToList();
        var max = live.Count == 0 ? 0 : live.Max(moment => live.Count(span => span.From <= moment.From && span.To > moment.From));
        return (max, live.Sum(span => (span.To - span.From).TotalSeconds) / (to - from).TotalSeconds);
    }
}
