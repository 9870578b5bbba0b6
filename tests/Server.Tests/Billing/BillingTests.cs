using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Npgsql;
using VoiceGrains.Gateway.Billing;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Usage;

namespace VoiceGrains.Server.Tests.Billing;

public sealed class BillingTests(SiloFixture silo)
{
    private const string Route = "/api/accounts/me/billing";

    [Fact]
    public async Task BilledMinutes_AreANaiveCountByTheDayOfTheEnd_WithTheDaysBetween()
    {
        var seed = Random.Shared.Next();
        var calls = new RandomCalls(seed, DateTimeOffset.UtcNow);
        using var client = await silo.CreateClientAsync();
        await calls.InsertAsync(silo.Services.GetRequiredService<NpgsqlDataSource>(), client.Account.AccountId.ToString());
        foreach (var (before, length) in new[] { (3, 4), (0, 1), (40, 45), (12, 20) })
        {
            var from = DateOnly.FromDateTime(calls.Busy.UtcDateTime).AddDays(-before);
            var to = from.AddDays(length);
            var answer = (await client.GetAsync($"{Route}/usage?fromDate={from:yyyy-MM-dd}&toDate={to:yyyy-MM-dd}")).Json;
            await OpenApiContract.AssertMatchesAsync("UsageResponse", answer);
            var units = calls.All.Where(call => call.Ended is not null).ToLookup(call => DateOnly.FromDateTime(call.Ended!.Value.UtcDateTime), call => call.BilledUnits);
            var days = Enumerable.Range(0, length).Select(from.AddDays).ToList();
            Assert.Equal(days.Select(day => $"{day:yyyy-MM-dd} {units[day].Sum() / 10.0}"),
                answer.GetProperty("dailyUsage").EnumerateArray().Select(day => $"{day.GetProperty("date")} {day.GetProperty("minutes").GetDouble()}"));
            Assert.Equal(days.Sum(day => units[day].Sum()) / 10.0, answer.GetProperty("totalMinutes").GetDouble());
        }
        using var other = await silo.CreateClientAsync();
        Assert.Equal(0, (await other.GetAsync($"{Route}/usage")).Json.GetProperty("totalMinutes").GetDouble());
    }

    [Theory]
    [InlineData(1, "2026-03-15", "", "2026-03-01", "2026-03-16")]
    [InlineData(28, "2026-03-15", "", "2026-02-28", "2026-03-16")]
    [InlineData(15, "2026-03-15", "", "2026-03-15", "2026-03-16")]
    [InlineData(16, "2026-01-15", "", "2025-12-16", "2026-01-16")]
    [InlineData(1, "2026-03-15", "fromDate=2026-01-01", "2026-01-01", "2026-03-16")]
    [InlineData(1, "2026-03-15", "fromDate=2025-01-01", "2025-01-01", "2025-04-01")]   // 90 days at most
    [InlineData(10, "2026-03-15", "toDate=2026-02-10", "2026-01-10", "2026-02-10")]
    [InlineData(1, "2026-03-15", "fromDate=9999-12-01&toDate=9999-12-31", "9999-12-01", "9999-12-31")]
    public void ThePeriod_IsByDefaultThisCycleSoFar(int cycleDay, string today, string query, string from, string to)
        => Assert.Equal(new BillingPeriod(DateOnly.Parse(from), DateOnly.Parse(to)), BillingPeriod.Read(Query(query), DateOnly.Parse(today), cycleDay));

    [Theory]
    [InlineData("fromDate=2026-03-01&toDate=2026-03-01", "toDate")]
    [InlineData("fromDate=2026-01-01&toDate=2026-04-02", "toDate")]   // 91 days
    [InlineData("fromDate=2026-03-16", "fromDate")]                   // tomorrow
    [InlineData("fromDate=2026-03-01T00:00:00Z", "fromDate")]
    [InlineData("toDate=0001-01-01", "toDate")]
    public void AnEmptyOrTooLongPeriod_NamesTheField(string query, string field)
    {
        var refused = Assert.Throws<InvalidInputException>(() => BillingPeriod.Read(Query(query), new DateOnly(2026, 3, 15), 1));
        Assert.Equal(field, Assert.Single(refused.Errors.ToJson().AsObject()).Key);
    }

    [Fact]
    public async Task WithoutSettings_NobodyPaysAndNothingIsInvoiced()
    {
        using var client = await silo.CreateClientAsync();
        var billing = (await client.GetAsync(Route)).Json;
        await OpenApiContract.AssertMatchesAsync("AccountBillingInfo", billing);
        Assert.Equal("""{"paymentMethod":null,"billingEmail":null}""", billing.GetRawText());
        var invoices = (await client.GetAsync(Route + "/invoices?pageSize=5")).Json;
        await OpenApiContract.AssertMatchesAsync("PaginatedInvoiceList", invoices);
        Assert.Equal("""{"next":null,"previous":null,"results":[]}""", invoices.GetRawText());
        Assert.Equal(404, (await client.GetAsync(Route + "/invoices?cursor=none")).Status);
        Assert.Equal(400, (await client.GetAsync(Route + "/usage?fromDate=now")).Status);
        var account = Assert.Single((await client.GetAsync("/api/accounts")).Json.EnumerateArray());
        await OpenApiContract.AssertMatchesAsync("Account", account);
        Assert.Equal("", account.GetProperty("billingUrl").GetString());
    }

    private static QueryCollection Query(string text)
        => new(text.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => new StringValues(pair[1])));
}
