using System.Text.Json;
using Microsoft.Extensions.Configuration;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Tests.Calls;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Webhooks;

/// <summary>What is told of a call's end waits for the summary, but not for ever. By the whole silo, its own worker and the clock on the wall.</summary>
public sealed class EndOfCallTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private Receiver _receiver = null!;
    private CallHost? _host;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync(Cancel);
        _receiver = await Receiver.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        await _receiver.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task TheSummary_GoesWithTheEnd()
    {
        await StartAsync(null, budget: "00:00:30");
        var callId = await EndCallAsync();
        var received = await _receiver.WaitAsync(2);
        Assert.Equal(["call.ended", "call.billed"], received.Select(r => r.Event));
        var stored = (await _host!.Store.FindAsync("account-1", callId, Cancel))!;
        Assert.Contains("pizza", stored.Summary, StringComparison.Ordinal);
        Assert.All(received, r => Assert.Equal((stored.Summary, stored.ShortSummary), (r.Call.GetProperty("summary").GetString(), r.Call.GetProperty("shortSummary").GetString())));
        Assert.Equal(JsonSerializer.Serialize(CallResponse.From(stored), GrainInterfaces.WireJson.Options), received[0].Call.GetRawText());
    }

    [Fact]
    public async Task AModelThatHangs_HoldsTheEndBackNoLongerThanItsBudget()
    {
        await StartAsync(new FailingModels { Hangs = true }, budget: "00:00:00.2");
        var callId = await EndCallAsync();
        var received = await _receiver.WaitAsync(2);
        Assert.Equal(["call.ended", "call.billed"], received.Select(r => r.Event));
        Assert.Equal("The user said: \"I want a pizza\".", received[0].Call.GetProperty("shortSummary").GetString());
        Assert.Contains("The agent's last words: \"Here it is\".", received[0].Call.GetProperty("summary").GetString(), StringComparison.Ordinal);

        // The model is still waited for, also by the next silo.
        await RestartAsync(null);
        await Poll.UntilAsync(
            async () => (await _host!.Store.FindAsync("account-1", callId, Cancel))!.Summary?.StartsWith("The user said: \"", StringComparison.Ordinal) == false,
            () => "the model's summary never came");
        Assert.Equal(2, _receiver.Received.Count);
    }

    [Fact]
    public async Task ASiloThatDies_WhileTheEndWaits_LeavesItToTheNext()
    {
        await StartAsync(new FailingModels { Hangs = true }, budget: "00:10:00");
        await EndCallAsync();
        Assert.Equal(2, await OwedAsync("held"));
        await RestartAsync(null);
        Assert.Contains("pizza", (await _receiver.WaitAsync(2))[0].Call.GetProperty("summary").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACallThatNobodyJoined_EndsAtOnce()
    {
        await StartAsync(new FailingModels { Hangs = true }, budget: "00:10:00");
        var call = await CreateAsync();
        await _host!.Call(call.Settings.CallId).EndAsync(new CallOutcome(EndReason.Unjoined));
        var received = await _receiver.WaitAsync(2);
        Assert.Equal("unjoined", received[0].Call.GetProperty("endReason").GetString());
        Assert.Equal("0s", received[1].Call.GetProperty("billedDuration").GetString());
    }

    [Fact]
    public async Task ADeletedCall_WaitsForNoSummary()
    {
        await StartAsync(new FailingModels { Hangs = true }, budget: "00:10:00");
        var callId = await EndCallAsync();
        await _host!.Call(callId).DeleteAsync();
        Assert.Equal("hangup", (await _receiver.WaitAsync(2))[0].Call.GetProperty("endReason").GetString());
    }

    private async Task StartAsync(ILanguageModelCatalog? models, string budget)
    {
        await RestartAsync(models, budget);
        var webhooks = (WebhookStore)_host!.Services.GetService(typeof(WebhookStore))!;
        await webhooks.CreateAsync("account-1", new WebhookChanges(true, null, _receiver.Url, ["s3cret"], [WebhookEvent.Ended, WebhookEvent.Billed]), Cancel);
    }

    private async Task RestartAsync(ILanguageModelCatalog? models, string budget = "00:00:10")
    {
        if (_host is not null) await _host.DisposeAsync();
        _host = await CallHost.StartAsync(_database, models, configure: builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Outbound:AllowedNetworks:0"] = "127.0.0.0/8", ["Calls:Summary:Budget"] = budget, ["Webhooks:PollInterval"] = "00:00:00.1",
        }));
    }

    private Task<CallSnapshot> CreateAsync()
    {
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), DateTimeOffset.UtcNow);
        return _host!.Call(settings.CallId).CreateAsync(settings);
    }

    private async Task<string> EndCallAsync()
    {
        var call = await CreateAsync();
        var callId = call.Settings.CallId;
        await _host!.Call(callId).JoinAsync(call.JoinUrl!.Split('/')[^1], null);
        Say(callId, 0, MessageRole.User, "I want a pizza");
        Say(callId, 1, MessageRole.Agent, "Here it is");
        await _host.Journal.FlushAsync(callId, Cancel);
        await _host.Call(callId).EndAsync(new CallOutcome(EndReason.Hangup));
        return callId;
    }

    private void Say(string callId, int index, MessageRole role, string text)
        => _host!.Journal.Write(callId, 1, new Message { Role = role, Text = text, CallStageId = "s1", CallStageMessageIndex = index });

    private async Task<long> OwedAsync(string condition)
    {
        await using var command = _host!.Database.CreateCommand($"select count(*) from webhook_outbox where {condition}");
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
