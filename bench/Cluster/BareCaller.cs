using System.Collections.Concurrent;
using System.Globalization;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace VoiceGrains.Bench.Cluster;

/// <summary>Request and reply with nothing but RabbitMQ.Client: one channel to publish, one to consume an exclusive queue, no headers.</summary>
internal sealed class BareCaller : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<byte[]>> _waiting = new();
    private readonly IConnection _connection;
    private readonly IChannel _publisher;
    private readonly IChannel _consumer;
    private readonly string _server;
    private string _replyTo = "";
    private long _last;

    private BareCaller(IConnection connection, IChannel publisher, IChannel consumer, string server) =>
        (_connection, _publisher, _consumer, _server) = (connection, publisher, consumer, server);

    /// <param name="broker">Its URI.</param>
    /// <param name="server">The queue of whoever answers.</param>
    public static async Task<BareCaller> StartAsync(string broker, string server, CancellationToken cancellationToken)
    {
        var connection = await new ConnectionFactory { Uri = new(broker) }.CreateConnectionAsync(cancellationToken);
        var caller = new BareCaller(
            connection, await connection.CreateChannelAsync(cancellationToken: cancellationToken), await connection.CreateChannelAsync(cancellationToken: cancellationToken), server);
        await caller.ListenAsync(cancellationToken);
        return caller;
    }

    public async Task<byte[]> CallAsync(byte[] body)
    {
        var id = Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture);
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        await _publisher.BasicPublishAsync("", _server, mandatory: false, new BasicProperties { CorrelationId = id, ReplyTo = _replyTo }, body);
        return await answer.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        await _consumer.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        _replyTo = (await _consumer.QueueDeclareAsync(cancellationToken: cancellationToken)).QueueName;
        var consumer = new AsyncEventingBasicConsumer(_consumer);
        consumer.ReceivedAsync += (_, message) =>
        {
            if (_waiting.TryRemove(message.BasicProperties.CorrelationId ?? "", out var answer))
                answer.SetResult(message.Body.ToArray());
            return Task.CompletedTask;
        };
        await _consumer.BasicConsumeAsync(_replyTo, autoAck: true, consumer, cancellationToken);
    }
}
