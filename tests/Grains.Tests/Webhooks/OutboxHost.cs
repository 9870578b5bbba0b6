using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Tests.Calls;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Webhooks;

/// <summary>A silo that delivers nothing: what calls owe stays in its outbox until a test brings a worker. Each test has an account of its own.</summary>
public sealed class OutboxHost : IAsyncLifetime
{
    private TestDatabase _database = null!;

    internal CallHost Host { get; private set; } = null!;
    internal WebhookStore Webhooks => Host.Services.GetRequiredService<WebhookStore>();

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync(TestContext.Current.CancellationToken);
        Host = await CallHost.StartAsync(_database, configure: WithoutWorker);
    }

    internal static void WithoutWorker(HostApplicationBuilder builder)
        => builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == typeof(DeliveryWorker)));

    /// <summary>A call of a new account; give it webhooks or callbacks first.</summary>
    internal async Task<CallSnapshot> CreateCallAsync(string account, Func<CallSettings, CallSettings>? change = null)
    {
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), DateTimeOffset.UtcNow) with { AccountId = account };
        return await Host.Call(settings.CallId).CreateAsync(change?.Invoke(settings) ?? settings);
    }

    internal async Task EndCallAsync(CallSnapshot call, bool joined = true)
    {
        var grain = Host.Call(call.Settings.CallId);
        if (joined) await grain.JoinAsync(call.JoinUrl!.Split('/')[^1], "test 1");
        await grain.EndAsync(new CallOutcome(EndReason.Hangup));
    }

    internal Task<Webhook> AddAsync(string account, string url, IReadOnlyList<string>? secrets = null, string? agent = null, params WebhookEvent[] events)
        => Webhooks.CreateAsync(account, new WebhookChanges(true, agent, url, secrets ?? ["s3cret"], events.Length > 0 ? events : Enum.GetValues<WebhookEvent>()),
            TestContext.Current.CancellationToken);

    internal async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Host.Database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await _database.DisposeAsync();
    }
}
