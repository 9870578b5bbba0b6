using System.Text;
using System.Text.Json;
using Orleans.Runtime;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using VoiceGrains.ClusterHost;
using VoiceGrains.GrainRuntime.RabbitMq;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>What a silo does with messages that no current silo sends: sent to a real one by a plain AMQP client.</summary>
public sealed class WireTests
{
    private const string Length = "VoiceGrains.ClusterHost.IAccountGrain.LengthAsync(String)";

    [Fact]
    public async Task MessagesThatCannotBeServed_AreAnsweredWithTheReasonAndParked()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        await using var wire = await WireClient.StartAsync(cluster, silo);

        Assert.Equal("ok 3", await wire.AskAsync(Length, "[\"abc\"]"));
        Assert.Contains("has version 2 of the protocol; this silo speaks 1", await wire.AskAsync(Length, "[\"abc\"]", version: 2));
        Assert.Contains("grain type 'unheard'", await wire.AskAsync(Length, "[\"abc\"]", grainType: "unheard"));
        Assert.Contains("no method 'X.Y()' in this version", await wire.AskAsync("X.Y()", "[]"));
        Assert.Contains("cannot read the request", await wire.AskAsync(Length, "not json"));
        Assert.Contains("takes 1 arguments; 0 came", await wire.AskAsync(Length, "[]"));
        Assert.Equal("ok 3", await wire.AskAsync(Length, "[\"abc\"]"));

        await wire.SendAsync(new() { Type = "nonsense" }, "x");
        Assert.Equal(
            ["has version 2", "unheard", "X.Y()", "invalid JSON", "0 came", "type is not known"],
            await wire.ParkedAsync(6),
            (expected, reason) => reason.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task RepeatedMessage_IsHandledOnce()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        await using var wire = await WireClient.StartAsync(cluster, silo);
        const string add = "VoiceGrains.ClusterHost.IAccountGrain.AddAsync(Int32)";

        Assert.Equal("ok 5", await wire.AskAsync(add, "[5]", messageId: "same"));
        await wire.SendAsync(wire.Request(add, messageId: "same"), "[5]");
        Assert.Equal("ok 6", await wire.AskAsync(add, "[1]", messageId: "other"));
    }

    [Fact]
    public void DuplicateWindow_ForgetsTheOldestFirst()
    {
        var window = new DuplicateWindow(2);
        Assert.True(window.TryAdd("a"));
        Assert.True(window.TryAdd("b"));
        Assert.False(window.TryAdd("a"));
        Assert.True(window.TryAdd("c"));
        Assert.True(window.TryAdd("a"));
        Assert.False(window.TryAdd("c"));
    }

    [Fact]
    public void RoutingKeys_AreShortAndDistinct()
    {
        Assert.Equal("call/x", WireProtocol.RoutingKey(new("call", "x")));
        var (one, two) = (WireProtocol.RoutingKey(new("call", new string('ö', 200) + "1")), WireProtocol.RoutingKey(new("call", new string('ö', 200) + "2")));
        Assert.NotEqual(one, two);
        Assert.InRange(Encoding.UTF8.GetByteCount(one), 1, 255);
    }

    private sealed class WireClient(IConnection connection, IChannel channel, ClusterFixture cluster, SiloHost silo) : IAsyncDisposable
    {
        private readonly System.Threading.Channels.Channel<string> _answers = System.Threading.Channels.Channel.CreateUnbounded<string>();
        private string _replyTo = "";

        public static async Task<WireClient> StartAsync(ClusterFixture cluster, SiloHost silo)
        {
            var connection = await new ConnectionFactory { Uri = new(cluster.Rabbit.Uri) }.CreateConnectionAsync(RuntimeHost.Cancel);
            var client = new WireClient(connection, await connection.CreateChannelAsync(cancellationToken: RuntimeHost.Cancel), cluster, silo);
            await client.ListenAsync();
            return client;
        }

        public BasicProperties Request(string method, int version = 1, string grainType = "account", string? messageId = null) => new()
        {
            Type = WireProtocol.Request,
            ReplyTo = _replyTo,
            CorrelationId = "1",
            MessageId = messageId ?? Guid.NewGuid().ToString(),
            Headers = new Dictionary<string, object?>
            {
                [WireProtocol.VersionHeader] = version,
                [WireProtocol.GrainType] = grainType,
                [WireProtocol.GrainKey] = "w",
                [WireProtocol.Method] = method,
                [WireProtocol.Activate] = 1,
            },
        };

        public async Task<string> AskAsync(string method, string body, int version = 1, string grainType = "account", string? messageId = null)
        {
            await SendAsync(Request(method, version, grainType, messageId), body);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(RuntimeHost.Cancel);
            timeout.CancelAfter(TimeSpan.FromSeconds(30));
            return await _answers.Reader.ReadAsync(timeout.Token);
        }

        public Task SendAsync(BasicProperties properties, string body) => channel.BasicPublishAsync(
            cluster.Exchange, WireProtocol.Address(silo.Id), mandatory: true, properties, Encoding.UTF8.GetBytes(body), RuntimeHost.Cancel).AsTask();

        /// <summary>The reasons of the parked messages, in order.</summary>
        public async Task<List<string>> ParkedAsync(int count)
        {
            var reasons = new List<string>();
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            while (reasons.Count < count && System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30))
            {
                if (await channel.BasicGetAsync($"{cluster.Exchange}.poison", autoAck: true, RuntimeHost.Cancel) is { } parked)
                    reasons.Add(parked.BasicProperties.Text(WireProtocol.Reason)!);
                else
                    await Task.Delay(20, RuntimeHost.Cancel);
            }
            return reasons;
        }

        public async ValueTask DisposeAsync()
        {
            await channel.DisposeAsync();
            await connection.DisposeAsync();
        }

        private async Task ListenAsync()
        {
            var queue = await channel.QueueDeclareAsync(cancellationToken: RuntimeHost.Cancel);
            _replyTo = $"@wire-{queue.QueueName}";
            await channel.QueueBindAsync(queue.QueueName, cluster.Exchange, _replyTo, cancellationToken: RuntimeHost.Cancel);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += (_, message) =>
            {
                using var body = JsonDocument.Parse(message.Body);
                var text = body.RootElement.ValueKind == JsonValueKind.Object ? body.RootElement.GetProperty("message").GetString() : body.RootElement.GetRawText();
                _answers.Writer.TryWrite($"{message.BasicProperties.Text(WireProtocol.Status)} {text}");
                return Task.CompletedTask;
            };
            await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer, RuntimeHost.Cancel);
        }
    }
}
