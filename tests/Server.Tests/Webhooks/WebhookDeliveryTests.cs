using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Webhooks;

/// <summary>A whole silo and a customer's server: what the one shows over REST, the other is sent.</summary>
public sealed class WebhookDeliveryTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Timestamp, string Signatures, byte[] Body)> _received = new();
    private TestDatabase _database = null!;
    private WebApplication _silo = null!, _receiver = null!;
    private ApiClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        _silo = await SiloFixture.StartAsync(_database, ("Outbound:AllowedNetworks:0", "127.0.0.0/8"));
        var accounts = _silo.Services.GetRequiredService<AccountStore>();
        var account = await accounts.CreateAsync("Test", AccountSetup.SelfHostedPlan, SiloFixture.Cancel);
        _client = new(SiloFixture.AddressOf(_silo), account, (await accounts.CreateKeyAsync(account.AccountId, "test", null, SiloFixture.Cancel)).Text);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _receiver = builder.Build();
        _receiver.Urls.Add("http://127.0.0.1:0");
        _receiver.MapPost("/hook", TakeAsync);
        await _receiver.StartAsync(SiloFixture.Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _silo.StopAsync();
        await _silo.DisposeAsync();
        await _receiver.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task EveryEventOfACall_CarriesTheCallAsTheApiShowsIt_SignedByEverySecret()
    {
        var url = _receiver.Urls.Single() + "/hook";
        var webhook = await _client.PostAsync("/api/webhooks", new { url, events = new[] { "call.started", "call.joined", "call.ended", "call.billed" }, secrets = new[] { "new", "old" } });
        Assert.Equal(201, webhook.Status);
        var created = await _client.PostAsync("/api/calls", new { systemPrompt = "Be brief.", metadata = new { source = "test" }, callbacks = new { billed = new { url, secrets = new[] { "own" } } } });
        var callId = created.Json.GetProperty("callId").GetString()!;
        var shown = new List<string> { (await _client.GetAsync("/api/calls/" + callId)).Text };
        var grain = _silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(callId);
        await grain.JoinAsync(created.Json.GetProperty("joinUrl").GetString()!.Split('/')[^1], "test 1");
        shown.Add((await _client.GetAsync("/api/calls/" + callId)).Text);
        await grain.EndAsync(new CallOutcome(EndReason.Hangup));
        shown.Add((await _client.GetAsync("/api/calls/" + callId)).Text);

        await UntilAsync(() => _received.Count == 5);
        var events = _received.Select(request => (JsonDocument.Parse(request.Body).RootElement, request)).ToList();
        foreach (var (body, request) in events)
        {
            await OpenApiContract.AssertMatchesAsync("Call", body.GetProperty("call"));
            Assert.Equal(["event", "call"], body.EnumerateObject().Select(property => property.Name));
            string[] secrets = request.Signatures.Contains(',', StringComparison.Ordinal) ? ["new", "old"] : ["own"];
            Assert.Equal(string.Join(',', secrets.Select(secret => Sign(secret, request))), request.Signatures);
            Assert.InRange(DateTime.UtcNow - DateTime.Parse(request.Timestamp, System.Globalization.CultureInfo.InvariantCulture), TimeSpan.Zero, TimeSpan.FromMinutes(1));
        }
        var ofWebhook = events.Where(e => e.request.Signatures.Contains(',', StringComparison.Ordinal)).Select(e => e.Item1).ToList();
        Assert.Equal(["call.started", "call.joined", "call.ended", "call.billed"], ofWebhook.Select(body => body.GetProperty("event").GetString()));
        Assert.Equal([.. shown, shown[^1]], ofWebhook.Select(body => JsonSerializer.Serialize(body.GetProperty("call"), GrainInterfaces.WireJson.Options)));
        Assert.Equal("call.billed", Assert.Single(events, e => !e.request.Signatures.Contains(',', StringComparison.Ordinal)).Item1.GetProperty("event").GetString());
        Assert.Equal("normal", (await _client.GetAsync("/api/webhooks/" + webhook.Json.GetProperty("webhookId").GetString())).Json.GetProperty("status").GetString());
    }

    private async Task TakeAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        _received.Enqueue((http.Request.Headers["X-Ultravox-Webhook-Timestamp"].ToString(), http.Request.Headers["X-Ultravox-Webhook-Signature"].ToString(), body.ToArray()));
        http.Response.StatusCode = 204;
    }

    private static string Sign(string secret, (string Timestamp, string Signatures, byte[] Body) request)
        => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. request.Body, .. Encoding.UTF8.GetBytes(request.Timestamp)]));

    private static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTimeOffset.UtcNow.AddSeconds(60);
        while (!condition())
        {
            Assert.True(DateTimeOffset.UtcNow < deadline, "The events did not come.");
            await Task.Delay(20, SiloFixture.Cancel);
        }
    }
}
