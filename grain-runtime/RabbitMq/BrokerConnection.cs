using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>Hears what comes from the broker. Called on its threads; must not block.</summary>
internal interface IBrokerListener
{
    /// <summary>What is to be bound whenever a connection is made.</summary>
    IReadOnlyCollection<string> RoutingKeys { get; }

    /// <summary>A message came. Its body is only valid until this returns.</summary>
    void OnDelivered(BasicDeliverEventArgs message);

    /// <summary>Nobody had the routing key of a mandatory message.</summary>
    void OnReturned(BasicReturnEventArgs message);

    /// <summary>The connection is lost: what had been sent may or may not have arrived.</summary>
    void OnDisconnected();
}

/// <summary>
/// The connection of one process to the broker: an exclusive queue of its own, a bounded queue of messages to send with one writer, and
/// re-connection with all bindings declared anew.
/// </summary>
internal sealed partial class BrokerConnection : IAsyncDisposable
{
    private readonly ClusterOptions _options;
    private readonly IBrokerListener _listener;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly BrokerDialer _dialer;
    private readonly Channel<WireMessage> _outgoing;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _connecting;
    private readonly Task _sending;
    private TaskCompletionSource<Session> _session = NewSource();
    private long _disconnectedSince;

    public BrokerConnection(ClusterOptions options, IBrokerListener listener, TimeProvider clock, ILogger logger)
    {
        (_options, _listener, _clock, _logger) = (options, listener, clock, logger);
        _dialer = new(options, clock, LogNoUse);
        _outgoing = Channel.CreateBounded<WireMessage>(new BoundedChannelOptions(options.SendQueueLength) { SingleReader = true });
        _disconnectedSince = clock.GetTimestamp();
        _connecting = Task.Run(() => _dialer.KeepAsync(HoldAsync, _stopping.Token));
        _sending = Task.Run(SendAsync);
    }

    private sealed record Session(IConnection Connection, IChannel Publisher, IChannel Topology, string Queue)
    {
        /// <summary>Ends the session; with the broker's reason, where it has one.</summary>
        public TaskCompletionSource<ShutdownEventArgs?> Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public bool IsConnected => Volatile.Read(ref _session).Task.IsCompletedSuccessfully;

    /// <summary>How long there has been no connection; zero while there is one.</summary>
    public TimeSpan DisconnectedFor => IsConnected ? TimeSpan.Zero : _clock.GetElapsedTime(Volatile.Read(ref _disconnectedSince));

    public Task WaitUntilConnectedAsync(CancellationToken cancellationToken) => Volatile.Read(ref _session).Task.WaitAsync(cancellationToken);

    /// <summary>Sends soon, in order. False when too many messages wait.</summary>
    public bool TrySend(WireMessage message) => _outgoing.Writer.TryWrite(message);

    /// <summary>Lets messages with the key come here. Without a connection that happens when there is one.</summary>
    public Task BindAsync(string routingKey, CancellationToken cancellationToken) => ChangeAsync(
        (session, cancel) => session.Topology.QueueBindAsync(session.Queue, _options.Exchange, routingKey, cancellationToken: cancel), cancellationToken);

    public Task UnbindAsync(string routingKey, CancellationToken cancellationToken) => ChangeAsync(
        (session, cancel) => session.Topology.QueueUnbindAsync(session.Queue, _options.Exchange, routingKey, cancellationToken: cancel), cancellationToken);

    /// <summary>Drops the connection with all that is bound, and makes a new one.</summary>
    public void Reconnect()
    {
        if (Volatile.Read(ref _session).Task is { IsCompletedSuccessfully: true } connected)
            connected.Result.Closed.TrySetResult(null);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _outgoing.Writer.TryComplete();
        await Task.WhenAll(_connecting, _sending).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task ChangeAsync(Func<Session, CancellationToken, Task> change, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _session).Task is not { IsCompletedSuccessfully: true } connected)
            return;
        try
        {
            await change(connected.Result, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            connected.Result.Closed.TrySetResult((exception as OperationInterruptedException)?.ShutdownReason);      // the next connection binds what is bound by then
        }
    }

    // Connects and stays until the connection ends.
    private async Task HoldAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(BrokerDialer.ConnectTimeout);
        var connection = await _dialer.ConnectAsync($"VoiceGrains {_options.Name}", timeout.Token).ConfigureAwait(false);
        try
        {
            var session = await OpenAsync(connection, timeout.Token).ConfigureAwait(false);
            Volatile.Read(ref _session).SetResult(session);
            LogConnected(connection.Endpoint.HostName, connection.Endpoint.Port);
            var reason = await session.Closed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (reason is not null && BrokerProblem.IsRefusal(reason))
                throw new OperationInterruptedException(reason);
            LogLost((reason ?? connection.CloseReason)?.ReplyText ?? "closed by us");
        }
        finally
        {
            if (IsConnected)
            {
                Volatile.Write(ref _disconnectedSince, _clock.GetTimestamp());
                Volatile.Write(ref _session, NewSource());
                _listener.OnDisconnected();
            }
            await connection.AbortAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<Session> OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var publisher = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var topology = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var consumer = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await topology.ExchangeDeclareAsync(_options.Exchange, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken).ConfigureAwait(false);
        await topology.QueueDeclareAsync(
            PoisonQueue(_options), durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-max-length"] = 1_000, ["x-overflow"] = "drop-head" }, cancellationToken: cancellationToken).ConfigureAwait(false);
        // The broker names the queue: one of a former connection may not have been noticed to be dead yet.
        var queue = await consumer.QueueDeclareAsync("", durable: false, exclusive: true, autoDelete: true, cancellationToken: cancellationToken).ConfigureAwait(false);
        var session = new Session(connection, publisher, topology, queue.QueueName);

        Task Close(object sender, ShutdownEventArgs reason)
        {
            session.Closed.TrySetResult(reason);
            return Task.CompletedTask;
        }

        connection.ConnectionShutdownAsync += Close;
        foreach (var channel in new[] { publisher, topology, consumer })
            channel.ChannelShutdownAsync += Close;
        publisher.BasicReturnAsync += (_, message) =>
        {
            _listener.OnReturned(message);
            return Task.CompletedTask;
        };
        foreach (var key in _listener.RoutingKeys)
            await topology.QueueBindAsync(queue.QueueName, _options.Exchange, key, cancellationToken: cancellationToken).ConfigureAwait(false);
        var receiver = new AsyncEventingBasicConsumer(consumer);
        receiver.ReceivedAsync += (_, message) =>
        {
            _listener.OnDelivered(message);
            return Task.CompletedTask;
        };
        await consumer.BasicConsumeAsync(queue.QueueName, autoAck: true, receiver, cancellationToken).ConfigureAwait(false);
        return session;
    }

    private async Task SendAsync()
    {
        try
        {
            await foreach (var message in _outgoing.Reader.ReadAllAsync(_stopping.Token).ConfigureAwait(false))
            {
                while (message.Pending is not { Request.IsCompleted: true } && !await TrySendNowAsync(message, _stopping.Token).ConfigureAwait(false))
                {
                    // The connection was lost under it: the same message again on the next, and the receiver takes it once.
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    private async Task<bool> TrySendNowAsync(WireMessage message, CancellationToken cancellationToken)
    {
        var session = await Volatile.Read(ref _session).Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (message.Pending is { Request.IsCompleted: true })
            return true;        // given up while it waited for the connection
        try
        {
            if (message.Pending is { } pending)
                pending.Sent = true;
            await session.Publisher.BasicPublishAsync(
                message.ToQueue ? "" : _options.Exchange, message.RoutingKey, message.Mandatory, message.Properties, message.Body, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            session.Closed.TrySetResult((exception as OperationInterruptedException)?.ShutdownReason);
            // Until the other loop has seen it too, there is nothing to send on.
            while (ReferenceEquals(Volatile.Read(ref _session).Task is { IsCompletedSuccessfully: true } task ? task.Result : null, session))
                await Task.Delay(TimeSpan.FromMilliseconds(10), _clock, cancellationToken).ConfigureAwait(false);
            return false;
        }
    }

    public static string PoisonQueue(ClusterOptions options) => $"{options.Exchange}.poison";

    private static TaskCompletionSource<Session> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(1550, LogLevel.Information, "Connected to RabbitMQ at {Host}:{Port}")]
    private partial void LogConnected(string host, int port);

    [LoggerMessage(1551, LogLevel.Warning, "The connection to RabbitMQ is lost: {Reason}. Connecting again")]
    private partial void LogLost(string reason);

    [LoggerMessage(1552, LogLevel.Error, "RabbitMQ at {Address} is of no use: {Problem}. Trying again until it is")]
    private partial void LogNoUse(string address, string problem, Exception exception);
}
