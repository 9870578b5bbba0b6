using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Webhooks;

/// <summary>From the outbox to receivers that behave and others that do not, over real sockets and by a clock that moves when told to.</summary>
public sealed class DeliveryTests(OutboxHost outbox) : IClassFixture<OutboxHost>, IAsyncLifetime
{
    private const string Loopback = "127.0.0.0/8";
    private readonly string _account = Guid.NewGuid().ToString();
    private readonly ManualClock _clock = new();
    private Receiver _receiver = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _receiver = await Receiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await outbox.ScalarAsync<long>("with gone as (delete from webhook_outbox returning 1) select count(*) from gone");
    }

    [Fact]
    public async Task AReceiverThatIsDownForAnHour_GetsTheEventOnce_OnTheFirstRetryAfterwards()
    {
        var webhook = await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Started);
        await outbox.CreateCallAsync(_account);
        var began = _clock.GetUtcNow();
        _receiver.Answer = (http, _) =>
        {
            http.Response.StatusCode = _clock.GetUtcNow() - began < TimeSpan.FromHours(1) ? 503 : 204;
            return Task.CompletedTask;
        };
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();

        double[] waits = [30, 60, 120, 240, 480, 960, 1920];
        for (var failures = 0; failures < waits.Length; failures++)
        {
            await UntilFailedAsync(failures + 1);
            var due = await outbox.ScalarAsync<DateTime>("select due from webhook_outbox where account_id = $1", _account);
            Assert.Equal(TimeSpan.FromSeconds(waits[failures]), due - _clock.GetUtcNow().UtcDateTime);
            if (failures == 4)
            {
                Assert.Equal(WebhookStatus.Unhealthy, (await outbox.Webhooks.FindAsync(_account, webhook.WebhookId, Cancel))!.Status);
            }
            rig.Advance(TimeSpan.FromSeconds(waits[failures]));
        }
        await UntilAsync("delivered");
        Assert.Equal(8, _receiver.Received.Count);
        Assert.Single(_receiver.Received.Select(received => Convert.ToHexString(received.Body)).Distinct());
        Assert.Equal(8, _receiver.Received.Select(received => received.Headers[WebhookSignature.SignatureHeader]).Distinct().Count());

        var healed = (await outbox.Webhooks.FindAsync(_account, webhook.WebhookId, Cancel))!;
        Assert.Equal((WebhookStatus.Normal, 7), (healed.Status, healed.RecentFailures.Count));
        Assert.Equal(_clock.GetUtcNow(), healed.LastStatusChange);
        Assert.All(healed.RecentFailures, failure => Assert.EndsWith("HTTP 503", failure.Failure, StringComparison.Ordinal));
        Assert.Equal(0L, await outbox.ScalarAsync<long>("select count(*) from webhook_outbox where account_id = $1 and document is not null", _account));
    }

    [Fact]
    public async Task AfterTenRetries_ItIsGivenUp_AndTheWebhookAndTheCallSaySo()
    {
        _receiver.Answer = (http, _) =>
        {
            http.Response.StatusCode = 404;
            return Task.CompletedTask;
        };
        var webhook = await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Joined);
        var call = await outbox.CreateCallAsync(_account, settings => settings with { Callbacks = Callback("joined", _receiver.Url) });
        await outbox.Host.Call(call.Settings.CallId).JoinAsync(call.JoinUrl!.Split('/')[^1], null);
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();
        for (var failures = 1; failures <= 10; failures++)
        {
            await UntilFailedAsync(failures);
            rig.Advance(TimeSpan.FromSeconds(30 * Math.Pow(2, failures - 1)));
        }
        await UntilAsync("given_up");
        Assert.Equal(0L, await outbox.ScalarAsync<long>("select count(*) from webhook_outbox where account_id = $1 and outcome = 'given_up' and (document is not null or callback is not null)", _account));
        Assert.Equal(22, _receiver.Received.Count);
        var given = (await outbox.Webhooks.FindAsync(_account, webhook.WebhookId, Cancel))!;
        Assert.Equal((WebhookStatus.Unhealthy, 10), (given.Status, given.RecentFailures.Count));

        IReadOnlyList<CallEvent> told = [];
        await Poll.UntilAsync(async () => (told = (await outbox.Host.Store.ListEventsAsync(call.Settings.CallId, Severity.Error, "callback_failed", new(null, 10), Cancel)).Results).Count > 0, () => "no event");
        Assert.Equal("The callback for call.joined was given up after 11 attempts. The last one: HTTP 404", Assert.Single(told).Text);

        rig.Advance(rig.Options.Retention + TimeSpan.FromMinutes(1));
        await Poll.UntilAsync(async () => await outbox.ScalarAsync<long>("select count(*) from webhook_outbox where account_id = $1", _account) == 0, () => "kept for ever");
    }

    [Fact]
    public async Task Redirects_AreNotFollowed()
    {
        await using var elsewhere = await Receiver.StartAsync();
        _receiver.Answer = (http, _) =>
        {
            http.Response.Redirect(_receiver.Received.Count > 1 ? elsewhere.Url : "http://169.254.169.254/latest/meta-data/", permanent: false, preserveMethod: true);
            return Task.CompletedTask;
        };
        var webhook = await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Started);
        await outbox.CreateCallAsync(_account);
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();
        await UntilFailedAsync(1);
        rig.Advance(TimeSpan.FromSeconds(30));
        await UntilFailedAsync(2);
        Assert.Empty(elsewhere.Received);
        Assert.EndsWith("HTTP 307", (await outbox.Webhooks.FindAsync(_account, webhook.WebhookId, Cancel))!.RecentFailures[0].Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAddressInside_IsNotReached()
    {
        var webhook = await outbox.AddAsync(_account, _receiver.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal), events: WebhookEvent.Started);
        await outbox.CreateCallAsync(_account);
        await using var rig = new DeliveryRig(outbox.Host, _clock);
        await rig.StartAsync();
        await UntilFailedAsync(1);
        Assert.Empty(_receiver.Received);
        Assert.Contains("leads to a loopback address", (await outbox.Webhooks.FindAsync(_account, webhook.WebhookId, Cancel))!.RecentFailures[0].Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAnswerWithoutEnd_CountsByItsStatus()
    {
        var left = new TaskCompletionSource();
        _receiver.Answer = async (http, _) =>
        {
            var chunk = new byte[1 << 16];
            try
            {
                while (!http.RequestAborted.IsCancellationRequested) await http.Response.Body.WriteAsync(chunk, http.RequestAborted);
            }
            catch (Exception broken) when (broken is OperationCanceledException or IOException)
            {
            }
            left.TrySetResult();
        };
        await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Started);
        await outbox.CreateCallAsync(_account);
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();
        await UntilAsync("delivered");
        await left.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    [Fact]
    public async Task AReceiverThatHangs_HoldsUpNoOther_AndIsGivenAFewAttemptsAtATime()
    {
        await using var hanging = await Receiver.StartAsync();
        hanging.Answer = (http, _) => Task.Delay(Timeout.Infinite, http.RequestAborted);
        await outbox.AddAsync(_account, hanging.Url, events: WebhookEvent.Started);
        await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Started);
        for (var i = 0; i < 12; i++) await outbox.CreateCallAsync(_account);
        await using var rig = new DeliveryRig(outbox.Host, _clock, new WebhookOptions { Concurrency = 6, ConcurrencyPerReceiver = 3 }, Loopback);
        await rig.StartAsync();
        await Poll.UntilAsync(async () => await DeliveredAsync() == 12, () => "a good receiver waits for a bad one");
        Assert.Equal(3, hanging.Received.Count);

        rig.Advance(rig.Options.Timeout);
        await hanging.WaitAsync(4);
        await Poll.UntilAsync(async () => await outbox.ScalarAsync<long>("select count(*) from webhook_outbox where account_id = $1 and failures = 1", _account) == 3, () => "no timeout");
        rig.Advance(rig.Options.PollInterval);
        Assert.Equal(4, hanging.Received.Count);        // one at a time while it fails
    }

    [Fact]
    public async Task TwoProcesses_ShareTheWork()
    {
        const int calls = 40;
        await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Started);
        for (var i = 0; i < calls; i++) await outbox.CreateCallAsync(_account);
        await using var one = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await using var two = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await Task.WhenAll(one.StartAsync(), two.StartAsync());
        await Poll.UntilAsync(async () => await DeliveredAsync() == calls, () => "not all were delivered");
        Assert.Equal(calls, _receiver.Received.Count);
        Assert.Equal(calls, _receiver.Received.Select(received => received.CallId).Distinct().Count());
    }

    [Fact]
    public async Task AProcessThatDiesInTheMiddle_IsFollowedByAnother()
    {
        await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Started);
        await outbox.CreateCallAsync(_account);
        await using var dead = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        var claimed = Assert.Single(await dead.Queue.ClaimAsync(10, new Dictionary<string, int>(), Cancel));

        await using var other = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        Assert.Empty(await other.Queue.ClaimAsync(10, new Dictionary<string, int>(), Cancel));
        await other.StartAsync();
        other.Advance(other.Options.Lease);
        await UntilAsync("delivered");
        Assert.Single(_receiver.Received);
        await dead.Queue.SettleFailedAsync(claimed, null, "comes back from the dead", Cancel);      // and changes nothing
        Assert.Equal("delivered", await outbox.ScalarAsync<string>("select outcome from webhook_outbox where account_id = $1", _account));
    }

    [Fact]
    public async Task AProcessThatStops_LeavesWhatIsUnderWayToOthersAtOnce()
    {
        _receiver.Answer = (http, _) => _receiver.Received.Count > 1 ? Task.CompletedTask : Task.Delay(Timeout.Infinite, http.RequestAborted);
        await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Started);
        await outbox.CreateCallAsync(_account);
        await using var stopping = new DeliveryRig(outbox.Host, _clock, new WebhookOptions { ShutdownTimeout = TimeSpan.Zero }, Loopback);
        await stopping.StartAsync();
        await _receiver.WaitAsync(1);
        await stopping.StopAsync();

        await using var other = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await other.StartAsync();
        await UntilAsync("delivered");
        Assert.Equal(0, await outbox.ScalarAsync<int>("select failures from webhook_outbox where account_id = $1", _account));
    }

    [Fact]
    public async Task TheEventsOfACall_ComeInTheirOrder_WithTheCallAsItWasThen()
    {
        await outbox.AddAsync(_account, _receiver.Url, secrets: []);
        var call = await outbox.CreateCallAsync(_account, settings => settings with { Callbacks = Callback("ended", _receiver.Url + "/back") });
        await outbox.EndCallAsync(call);
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();
        var received = await _receiver.WaitAsync(5);
        Assert.Equal(["call.started", "call.joined", "call.ended", "call.billed"], received.Where(r => r.Path == "/hook").Select(r => r.Event));
        Assert.Equal("call.ended", Assert.Single(received, r => r.Path == "/hook/back").Event);
        Assert.All(received, r => Assert.Equal(("POST", "application/json", call.Settings.CallId), (r.Method, r.Headers["Content-Type"], r.CallId)));
        Assert.All(received, r => Assert.False(r.Headers.ContainsKey(WebhookSignature.SignatureHeader)));
        Assert.Equal([false, true, true, true], received.Where(r => r.Path == "/hook").Select(r => r.Call.GetProperty("joined").ValueKind == System.Text.Json.JsonValueKind.String));
        Assert.Equal([false, false, true, true], received.Where(r => r.Path == "/hook").Select(r => r.Call.GetProperty("ended").ValueKind == System.Text.Json.JsonValueKind.String));
    }

    [Fact]
    public async Task ARefusedEvent_DoesNotKeepTheLaterOnesBack()
    {
        _receiver.Answer = (http, received) =>
        {
            http.Response.StatusCode = received.Event == "call.started" ? 400 : 200;
            return Task.CompletedTask;
        };
        await outbox.AddAsync(_account, _receiver.Url);
        await outbox.EndCallAsync(await outbox.CreateCallAsync(_account), joined: false);
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();
        Assert.Equal(["call.started", "call.ended", "call.billed"], (await _receiver.WaitAsync(3)).Select(r => r.Event));
        Assert.Equal("unjoined", _receiver.Received[1].Call.GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task OnlyWebhooksOfTheAccount_TheAgentAndTheEvent_AreOwed()
    {
        await outbox.AddAsync(_account, _receiver.Url + "/all", events: WebhookEvent.Started);
        await outbox.AddAsync(_account, _receiver.Url + "/agent", agent: "agent-1", events: [WebhookEvent.Started, WebhookEvent.Joined]);
        await outbox.AddAsync(_account, _receiver.Url + "/other-agent", agent: "agent-2");
        await outbox.AddAsync(_account, _receiver.Url + "/other-event", events: WebhookEvent.Joined);
        await outbox.AddAsync(Guid.NewGuid().ToString(), _receiver.Url + "/other-account");
        await outbox.CreateCallAsync(_account, settings => settings with { AgentId = "agent-1" });
        await outbox.CreateCallAsync(_account);
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();
        Assert.Equal(["/hook/agent", "/hook/all", "/hook/all"], (await _receiver.WaitAsync(3)).Select(r => r.Path).Order());
        await UntilAsync("delivered");
    }

    [Fact]
    public async Task WhatADeletedCallOwes_IsStillDelivered_AndADeletedWebhookIsOwedNothing()
    {
        var gone = await outbox.AddAsync(_account, _receiver.Url + "/gone");
        await outbox.AddAsync(_account, _receiver.Url, events: WebhookEvent.Ended);
        var call = await outbox.CreateCallAsync(_account);
        await outbox.EndCallAsync(call);
        await outbox.Host.Call(call.Settings.CallId).DeleteAsync();
        Assert.True(await outbox.Webhooks.DeleteAsync(_account, gone.WebhookId, Cancel));
        await using var rig = new DeliveryRig(outbox.Host, _clock, null, Loopback);
        await rig.StartAsync();
        await UntilAsync("delivered");
        Assert.Equal("call.ended", Assert.Single(_receiver.Received).Event);
    }

    private static JsonObject Callback(string happened, string url) => new() { [happened] = new JsonObject { ["url"] = url } };

    private Task<long> DeliveredAsync() => outbox.ScalarAsync<long>("select count(*) from webhook_outbox where account_id = $1 and outcome = 'delivered'", _account);

    private Task UntilFailedAsync(int failures)
        => Poll.UntilAsync(
            async () => await outbox.ScalarAsync<long>("select count(*) from webhook_outbox where account_id = $1 and failures <> $2", _account, failures) == 0,
            () => $"attempt {failures} did not fail; {_receiver.Received.Count} requests came");

    private Task UntilAsync(string outcome)
        => Poll.UntilAsync(
            async () => await outbox.ScalarAsync<long>("select count(*) from webhook_outbox where account_id = $1 and outcome is distinct from $2", _account, outcome) == 0,
            () => $"not {outcome}; {_receiver.Received.Count} requests came");
}
