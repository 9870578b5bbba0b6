using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Grains.Tests.Calls;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Webhooks;

/// <summary>Deliveries while the database is away.</summary>
public sealed class DeliveryOutageTests(RestartablePostgres server) : IClassFixture<RestartablePostgres>
{
    [Fact]
    public async Task AWorker_OutlivesAnOutage_AndRepeatsAtMostWhatItCouldNotNoteDown()
    {
        await using var database = await server.CreateDatabaseAsync();
        await using var host = await CallHost.StartAsync(database.ConnectionString, configure: OutboxHost.WithoutWorker);
        await using var receiver = await Receiver.StartAsync();
        var (arrived, mayAnswer) = (new TaskCompletionSource(), new TaskCompletionSource());
        receiver.Answer = async (_, _) =>
        {
            arrived.TrySetResult();
            await mayAnswer.Task;
        };
        await host.Services.GetRequiredService<WebhookStore>().CreateAsync(
            "account-1", new WebhookChanges(true, null, receiver.Url, [], [WebhookEvent.Started]), TestContext.Current.CancellationToken);
        await CreateCallAsync(host);
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(host, clock, null, "127.0.0.0/8");
        await rig.StartAsync();
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        await server.StopAsync();
        mayAnswer.SetResult();
        await AdvanceUntilAsync(rig, () => Task.FromResult(rig.Clock.GetUtcNow() > new DateTimeOffset(2030, 1, 1, 12, 0, 10, TimeSpan.Zero)));
        await server.StartAsync();
        await CreateCallAsync(host);
        await AdvanceUntilAsync(rig, async () => await CountAsync(host) == 2);
        Assert.InRange(receiver.Received.Count, 2, 3);
        Assert.Equal(2, receiver.Received.Select(received => received.CallId).Distinct().Count());
    }

    private static Task CreateCallAsync(CallHost host)
    {
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), DateTimeOffset.UtcNow);
        return host.Call(settings.CallId).CreateAsync(settings);
    }

    /// <summary>Time goes on much faster than on the wall.</summary>
    private static Task AdvanceUntilAsync(DeliveryRig rig, Func<Task<bool>> condition)
        => Poll.UntilAsync(
            async () =>
            {
                rig.Advance(TimeSpan.FromMilliseconds(500));
                return await condition();
            },
            () => "the outage was not outlived");

    private static async Task<long> CountAsync(CallHost host)
    {
        await using var command = host.Database.CreateCommand("select count(*) from webhook_outbox where outcome = 'delivered'");
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
