using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace VoiceGrains.ClusterHost;

/// <summary>
/// Answers what comes to the queue <c>BareQueue</c> with its own body, with nothing but RabbitMQ.Client: what a grain call over the same broker,
/// between the same processes, is measured against.
/// </summary>
internal sealed class BareEcho(IConfiguration configuration) : IHostedService, IAsyncDisposable
{
    public const string QueueSetting = "BareQueue";
    private IConnection? _connection;
    private IChannel? _channel;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _connection = await new ConnectionFactory { Uri = new(configuration["Cluster:RabbitMq"]!) }.CreateConnectionAsync(cancellationToken);
        _channel = await _connection.CreateChannelAsync(cancellationToken: cancellationToken);
        var queue = configuration[QueueSetting]!;
        await _channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: true, cancellationToken: cancellationToken);
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += async (_, request) => await _channel.BasicPublishAsync(
            "", request.BasicProperties.ReplyTo!, mandatory: false, new BasicProperties { CorrelationId = request.BasicProperties.CorrelationId }, request.Body);
        await _channel.BasicConsumeAsync(queue, autoAck: true, consumer, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
    }
}
