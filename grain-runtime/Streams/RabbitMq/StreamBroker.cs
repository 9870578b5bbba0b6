using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Diagnostics;
using VoiceGrains.GrainRuntime.RabbitMq;

namespace VoiceGrains.GrainRuntime.Streams.RabbitMq;

/// <summary>Hears what comes from the broker. Called on its threads; must not block.</summary>
internal interface IStreamBrokerListener
{
    /// <summary>There is a new connection, on which nothing is bound yet.</summary>
    Task OnConnectedAsync();

    void OnDisconnected();

    /// <summary>An event or a question came. Its body is only valid until this returns.</summary>
    void OnDelivered(BasicDeliverEventArgs message);

    /// <summary>No process has the routing key of a mandatory message.</summary>
    void OnReturned(BasicReturnEventArgs message);
}

/// <summary>
/// The connection that a process has for streams, beside that for requests: a flood of events must not delay requests. What cannot be sent is
/// dropped, and the broker keeps a bounded number of events for a process that does not keep up.
/// </summary>
internal sealed partial class StreamBroker : IAsyncDisposable
{
    private const ushort Prefetch = 256;
    private const ulong AcknowledgeEvery = 64;
    private const int MostQueuedBytes = 64 * 1_024 * 1_024;
    private const int MostQueuedQuestions = 10_000;
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(1);

    private readonly ClusterOptions _options;
    private readonly IStreamBrokerListener _listener;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly string _exchange;
    private readonly BrokerDialer _dialer;
    private readonly Channel<StreamMessage> _outgoing;
    private readonly CancellationTokenSource _stopping = new();
    private Task _connecting = Task.CompletedTask;
    private Task _sending = Task.CompletedTask;
    private TaskCompletionSource<StreamSession> _session = NewSource();

    public StreamBroker(ClusterOptions options, IStreamBrokerListener listener, TimeProvider clock, ILogger logger)
    {
        (_options, _listener, _clock, _logger, _exchange) = (options, listener, clock, logger, $"{options.Exchange}.streams");
        _outgoing = Channel.CreateBounded<StreamMessage>(new BoundedChannelOptions(options.SendQueueLength) { SingleReader = true });
        _dialer = new(options, clock, LogNoUse);
    }

    /// <summary>Begins to connect, and to tell the listener.</summary>
    public void Start()
    {
        _connecting = Task.Run(() => _dialer.KeepAsync(HoldAsync, _stopping.Token));
        _sending = Task.Run(SendAsync);
    }

    /// <summary>Null while there is no connection.</summary>
    public StreamSession? Session => Volatile.Read(ref _session).Task is { IsCompletedSuccessfully: true, Result: { Closed.IsCompleted: false } session } ? session : null;

    public async Task WaitUntilConnectedAsync(CancellationToken cancellationToken)
    {
        while ((await Volatile.Read(ref _session).Task.WaitAsync(cancellationToken).ConfigureAwait(false)).Closed.IsCompleted)
            await Task.Delay(TimeSpan.FromMilliseconds(10), _clock, cancellationToken).ConfigureAwait(false);     // until the loop has seen it too
    }

    /// <summary>Sends soon, in order, unless the connection is lost before. False when there is none, or too many messages wait.</summary>
    public bool TrySend(StreamMessage message) => Session is not null && _outgoing.Writer.TryWrite(message);

    public async ValueTask DisposeAsync()
    {
        _outgoing.Writer.TryComplete();
        await _sending.WaitAsync(FlushTimeout, _clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_connecting, _sending).ConfigureAwait(false);
        _stopping.Dispose();
    }

    // Connects and stays until the connection ends.
    private async Task HoldAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(BrokerDialer.ConnectTimeout);
        var connection = await _dialer.ConnectAsync($"VoiceGrains {_options.Name} streams", timeout.Token).ConfigureAwait(false);
        try
        {
            var session = await OpenAsync(connection, timeout.Token).ConfigureAwait(false);
            Volatile.Read(ref _session).SetResult(session);
            _ = ResumeAsync(session);
            await session.Closed.WaitAsync(cancellationToken).ConfigureAwait(false);
            LogLost(connection.CloseReason?.ReplyText ?? "closed by us");
        }
        finally
        {
            if (Volatile.Read(ref _session).Task.IsCompletedSuccessfully)
            {
                Volatile.Write(ref _session, NewSource());
                _listener.OnDisconnected();
            }
            await connection.AbortAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task ResumeAsync(StreamSession session)
    {
        try
        {
            await _listener.OnConnectedAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            LogNotResumed(exception);
            session.Close();        // all of it again on a new one
        }
    }

    private async Task<StreamSession> OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var publisher = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var topology = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var consumer = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var questions = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await topology.ExchangeDeclareAsync(_exchange, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken).ConfigureAwait(false);
        // The broker names the queues: those of a former connection may not have been noticed to be dead yet.
        var eventQueue = await DeclareAsync(consumer, _options.StreamQueueLength, cancellationToken).ConfigureAwait(false);
        var questionQueue = await DeclareAsync(questions, MostQueuedQuestions, cancellationToken).ConfigureAwait(false);
        var session = new StreamSession(publisher, topology, _exchange, eventQueue, questionQueue);

        Task Close(object sender, AsyncEventArgs reason)
        {
            session.Close();
            return Task.CompletedTask;
        }

        connection.ConnectionShutdownAsync += Close;
        foreach (var channel in new[] { publisher, topology, consumer, questions })
            channel.ChannelShutdownAsync += Close;
        publisher.BasicReturnAsync += (_, message) =>
        {
            _listener.OnReturned(message);
            return Task.CompletedTask;
        };
        await consumer.BasicQosAsync(0, Prefetch, global: false, cancellationToken).ConfigureAwait(false);
        await ConsumeAsync(consumer, eventQueue, acknowledges: true, Close, cancellationToken).ConfigureAwait(false);
        await ConsumeAsync(questions, questionQueue, acknowledges: false, Close, cancellationToken).ConfigureAwait(false);
        return session;
    }

    private static async Task<string> DeclareAsync(IChannel channel, int length, CancellationToken cancellationToken)
    {
        var queue = await channel.QueueDeclareAsync("", durable: false, exclusive: true, autoDelete: true, new Dictionary<string, object?>
        {
            ["x-max-length"] = length, ["x-max-length-bytes"] = MostQueuedBytes, ["x-overflow"] = "drop-head",
        }, cancellationToken: cancellationToken).ConfigureAwait(false);
        return queue.QueueName;
    }

    // With acknowledgements, since what is under way to us does not count towards the bound of the queue.
    private async Task ConsumeAsync(
        IChannel channel, string queue, bool acknowledges, AsyncEventHandler<AsyncEventArgs> close, CancellationToken cancellationToken)
    {
        var receiver = new AsyncEventingBasicConsumer(channel);
        receiver.ReceivedAsync += async (_, message) =>
        {
            try
            {
                _listener.OnDelivered(message);
            }
            catch (Exception exception)
            {
                LogDeliveryFailed(exception);
            }
            if (acknowledges && message.DeliveryTag % AcknowledgeEvery == 0)
                await channel.BasicAckAsync(message.DeliveryTag, multiple: true).ConfigureAwait(false);
        };
        receiver.UnregisteredAsync += (sender, reason) => close(sender, reason);       // somebody deleted the queue
        await channel.BasicConsumeAsync(queue, autoAck: !acknowledges, receiver, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        try
        {
            await foreach (var message in _outgoing.Reader.ReadAllAsync(_stopping.Token).ConfigureAwait(false))
                await SendAsync(message, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    private async Task SendAsync(StreamMessage message, CancellationToken cancellationToken)
    {
        var session = Session;
        try
        {
            if (session is not null)
            {
                await session.Publisher.BasicPublishAsync(_exchange, message.RoutingKey, message.Mandatory, message.Properties, message.Body, cancellationToken).ConfigureAwait(false);
                return;
            }
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            session!.Close();
        }
        GrainTelemetry.StreamUnsent();
    }

    private static TaskCompletionSource<StreamSession> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(1580, LogLevel.Warning, "The streams' connection to RabbitMQ is lost: {Reason}. Connecting again")]
    private partial void LogLost(string reason);

    [LoggerMessage(1581, LogLevel.Error, "RabbitMQ at {Address} is of no use for streams: {Problem}. Trying again until it is")]
    private partial void LogNoUse(string address, string problem, Exception exception);

    [LoggerMessage(1582, LogLevel.Warning, "The streams' bindings could not be made anew; connecting again")]
    private partial void LogNotResumed(Exception exception);

    [LoggerMessage(1583, LogLevel.Error, "A stream's message failed in the runtime")]
    private partial void LogDeliveryFailed(Exception exception);
}

/// <summary>One life of the connection.</summary>
internal sealed class StreamSession(IChannel publisher, IChannel topology, string exchange, string eventQueue, string questionQueue)
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IChannel Publisher => publisher;

    public Task Closed => _closed.Task;

    /// <summary>Ends it: whatever happens to the connection, a new one is made.</summary>
    public void Close() => _closed.TrySetResult();

    public Task BindAsync(string key, CancellationToken cancellationToken) =>
        topology.QueueBindAsync(QueueOf(key), exchange, key, cancellationToken: cancellationToken);

    public Task UnbindAsync(string key, CancellationToken cancellationToken) =>
        topology.QueueUnbindAsync(QueueOf(key), exchange, key, cancellationToken: cancellationToken);

    // A queue of their own for questions: they must not be dropped for the sake of events.
    private string QueueOf(string key) => key.StartsWith('?') ? questionQueue : eventQueue;
}
