using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Launch;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>What tests of watched calls ask of a cluster.</summary>
internal static class ClusterWatching
{
    /// <summary>A new account with a key of its own, at a gateway.</summary>
    public static async Task<ApiClient> CreateClientAsync(this ClusterProcesses cluster, SiloProcess gateway)
    {
        await using var source = NpgsqlDataSource.Create(cluster.Database);
        var accounts = new AccountStore(source, TimeProvider.System);
        var account = await accounts.CreateAsync("Test", AccountSetup.SelfHostedPlan, SiloFixture.Cancel);
        var key = await accounts.CreateKeyAsync(account.AccountId, "test", null, SiloFixture.Cancel);
        return new(gateway.Url, account, key.Text);
    }

    /// <summary>Whether any process is bound to a call's live events, by what the broker does with a message for them.</summary>
    public static async Task<bool> IsWatchedAsync(this ClusterProcesses cluster, string callId)
    {
        await using var connection = await new ConnectionFactory { Uri = new(cluster.Broker.Uri) }.CreateConnectionAsync(SiloFixture.Cancel);
        await using var channel = await connection.CreateChannelAsync(new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), SiloFixture.Cancel);
        try
        {
            await channel.BasicPublishAsync(
                $"{cluster.Exchange}.streams", $"call-events/{callId}", mandatory: true, new BasicProperties { Type = "probe" }, ReadOnlyMemory<byte>.Empty, SiloFixture.Cancel);
            return true;
        }
        catch (PublishException exception) when (exception.IsReturn)
        {
            return false;
        }
    }

    public static async Task UntilUnwatchedAsync(this ClusterProcesses cluster, string callId)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (await cluster.IsWatchedAsync(callId)) await Task.Delay(50, patience.Token);
    }
}
