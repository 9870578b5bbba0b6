using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client.Events;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Diagnostics;
using VoiceGrains.GrainRuntime.Hosting;
using VoiceGrains.GrainRuntime.RabbitMq;

namespace VoiceGrains.GrainRuntime.Streams.RabbitMq;

/// <summary>
/// Streams over RabbitMQ, of all processes of a cluster. Nothing is stored, and no producer waits: what the broker cannot take is dropped, and
/// the numbers of the events tell subscribers what they missed. Subscribers in the producer's own process get events from it directly.
/// </summary>
internal sealed partial class RabbitStreams : StreamCore, IStreamBrokerListener, IRuntimePart, IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SubscribeTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMilliseconds(500);
    private const int MostQuestions = 4;

    private readonly string _process = Guid.NewGuid().ToString("N");
    private readonly ClusterOptions _options;
    private readonly StreamCodec _codec;
    private readonly TimeProvider _clock;
    private readonly ILogger<RabbitStreams> _logger;
    private readonly StreamProducers _producers;
    private StreamBroker? _broker;
    private StreamBindings? _bindings;
    private int _disposed;
    private Task _sweeping = Task.CompletedTask;

    public RabbitStreams(
        string name, IOptions<GrainRuntimeOptions> runtime, IOptions<ClusterOptions> options, WireExceptions exceptions, TimeProvider clock, ILogger<RabbitStreams> logger)
        : base(name, runtime.Value.StreamQueueLength, logger)
    {
        (_options, _clock, _logger) = (options.Value, clock, logger);
        _codec = new(_options.Serializer ?? runtime.Value.StateSerializer, exceptions);
        _producers = new(_process, clock);
    }

    /// <summary>Routing keys that are bound, or will be when there is a connection.</summary>
    public int BoundKeys => _bindings?.Count ?? 0;

    public StreamProducer? FindProducer(StreamAddress address) => _producers.Find(address);

    /// <summary>Waits for the broker for a moment, so that the first events are not lost; then the process starts without it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _broker = new(_options, this, _clock, _logger);
        _bindings = new(_broker);
        _broker.Start();
        _sweeping = _producers.SweepAsync(Retire);
        await _broker.WaitUntilConnectedAsync(cancellationToken).WaitAsync(StartPatience, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>The connection stays until all grains have ended, since they still produce.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Idempotent: the container knows it by several names.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _producers.StopSweeping();
        await _sweeping.ConfigureAwait(false);
        foreach (var producer in _producers.All)
            Retire(producer);
        if (_broker is not null)
            await _broker.DisposeAsync().ConfigureAwait(false);
    }

    public override void Publish<T>(StreamAddress address, StreamNoticeKind kind, T? item, Exception? error)
        where T : default
    {
        while (true)
        {
            var producer = _producers.Of(address, out var isNew);
            if (isNew)
                _ = LetAskAsync(producer);
            lock (producer.Gate)
            {
                if (producer.IsClosed)
                    continue;
                Publish(producer, kind, item, error);
                if (kind == StreamNoticeKind.Completed)
                    Close(producer);
                return;
            }
        }
    }

    public override async Task SubscribeAsync<T>(StreamAddress address, StreamSubscription<T> subscription)
    {
        var hub = Add(address, subscription);
        // A failure takes the subscription out again. For a stream that others here listen to already there is nothing to do, but the connection may be away.
        await OpeningOf(hub).ConfigureAwait(false);
        await WaitUntilBoundAsync(address).ConfigureAwait(false);
    }

    public async Task OnConnectedAsync()
    {
        foreach (var hub in Hubs)
        {
            if (!await _bindings!.RenewAsync(hub.Address.Key).ConfigureAwait(false))
                return;
            Ask(hub.Address);       // the answer says how much was lost
        }
        foreach (var producer in _producers.All)
        {
            if (!await _bindings!.RenewAsync(StreamWire.QuestionKey(producer.Address.Key)).ConfigureAwait(false))
                return;
            BecomeAskable(producer);
        }
    }

    public void OnDisconnected()
    {
        foreach (var producer in _producers.All)
        {
            lock (producer.Gate)
                producer.OnDisconnected();
        }
        foreach (var hub in Hubs)
            hub.Tell(new StreamInterruptedException("The stream is cut off: the connection to RabbitMQ is lost."));
    }

    public void OnDelivered(BasicDeliverEventArgs message)
    {
        if (StreamWire.Read(message.BasicProperties, message.RoutingKey) is not { } info)
        {
            LogIgnored(message.RoutingKey, message.BasicProperties.Type);
            return;
        }
        if (info.Type == StreamWire.Question)
        {
            if (_producers.Find(info.Address) is { } producer)
                BecomeAskable(producer);
            return;
        }
        if (FindHub(info.Address) is not { } hub)
            return;
        // Our own events are in the hub already.
        if (info.Source.Process != _process)
            hub.Receive(_codec.Read(info, message.Body.Span), _codec.Json, local: false);
        if (info.Type == StreamWire.Mark)
            hub.OnAnswered();
    }

    public void OnReturned(BasicReturnEventArgs message)
    {
        if (StreamWire.Read(message.BasicProperties, message.RoutingKey) is not { } info)
            return;
        if (info.Type == StreamWire.Question)
        {
            if (FindHub(info.Address) is not { } hub)
                return;
            hub.OnNobodyProduces();
            hub.OnAnswered();
        }
        else if (_producers.Find(info.Address) is { } producer && producer.Source == info.Source)
        {
            lock (producer.Gate)
                producer.OnReturned(info.Number);
        }
    }

    protected override void OnUnheard(StreamHub hub)
    {
        lock (hub.OpeningGate)
        {
            hub.IsUnheard = true;
            if (hub.Opening is not null)
                _bindings!.Release(hub.Address.Key);
        }
    }

    private void Publish<T>(StreamProducer producer, StreamNoticeKind kind, T? item, Exception? error)
    {
        var isHeard = producer.TakeNumber(_clock, out var number);
        var hub = FindHub(producer.Address);
        if (hub is null && !isHeard)
            return;
        var body = _codec.Write(kind, item, error);
        hub?.Receive(new(kind, producer.Source, number, kind == StreamNoticeKind.Completed, body, error), _codec.Json, local: true);
        if (isHeard && (body.Length > _options.MaxMessageBytes || !Send(StreamCodec.TypeOf(kind), producer, number, body, mandatory: true)))
            GrainTelemetry.StreamUnsent();
    }

    private bool Send(string type, StreamProducer producer, long number, ReadOnlyMemory<byte> body = default, bool mandatory = false) =>
        _broker?.TrySend(new(producer.Address.Key, StreamWire.Properties(type, producer.Address, producer.Source, number), body, mandatory)) ?? false;

    // Once for all subscribers of the hub; a failure is theirs as well, and the next one tries again.
    private Task OpeningOf(StreamHub hub)
    {
        if (_bindings is null)
            throw new InvalidOperationException("The runtime has not been started.");
        lock (hub.OpeningGate)
        {
            if (hub.IsUnheard)
                return Task.CompletedTask;      // unsubscribed already
            if (hub.Opening is null)
                _bindings.Want(hub.Address.Key);
            if (hub.Opening is null or { IsCompleted: true, IsCompletedSuccessfully: false })
                hub.Opening = OpenAsync(hub);
            return hub.Opening;
        }
    }

    private async Task OpenAsync(StreamHub hub)
    {
        await WaitUntilBoundAsync(hub.Address).ConfigureAwait(false);
        for (var question = 0; question < MostQuestions; question++)
        {
            var answer = hub.ExpectAnswer();
            Ask(hub.Address);
            await answer.WaitAsync(AnswerTimeout, _clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (answer.IsCompletedSuccessfully)
                return;
        }
        // A producer that died a moment ago may still be bound. Another one will find us.
        LogNoAnswer(hub.Address.Key);
    }

    private async Task WaitUntilBoundAsync(StreamAddress address)
    {
        using var timeout = new CancellationTokenSource(SubscribeTimeout, _clock);
        try
        {
            await _bindings!.WaitAsync(address.Key, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            throw new StreamInterruptedException("The stream cannot be subscribed to: RabbitMQ is away.", exception);
        }
    }

    private void Ask(StreamAddress address) =>
        _broker!.TrySend(new(StreamWire.QuestionKey(address.Key), StreamWire.Properties(StreamWire.Question, address, new(_process, 0), 0), default, Mandatory: true));

    private async Task LetAskAsync(StreamProducer producer)
    {
        try
        {
            if (_bindings is null)
                return;
            await _bindings.AcquireAsync(StreamWire.QuestionKey(producer.Address.Key), CancellationToken.None).ConfigureAwait(false);
            BecomeAskable(producer);
        }
        catch (Exception exception)
        {
            LogNotAskable(producer.Address.Key, exception);     // then it sends all its events
        }
    }

    // Under the lock the mark goes before all later events.
    private void BecomeAskable(StreamProducer producer)
    {
        lock (producer.Gate)
        {
            if (producer.IsClosed)
                return;
            producer.OnAskable();
            Send(StreamWire.Mark, producer, producer.Next);
        }
    }

    private void Retire(StreamProducer producer)
    {
        lock (producer.Gate)
        {
            if (producer.IsClosed)
                return;
            if (producer.IsHeard)
                Send(StreamWire.Done, producer, producer.Next);
            Close(producer);
        }
    }

    private void Close(StreamProducer producer)
    {
        producer.IsClosed = true;
        _producers.Remove(producer);
        _bindings?.Release(StreamWire.QuestionKey(producer.Address.Key));
    }

    [LoggerMessage(1586, LogLevel.Warning, "A message on the streams' exchange with the routing key {Key} and type {Type} cannot be read and is ignored")]
    private partial void LogIgnored(string key, string? type);

    [LoggerMessage(1587, LogLevel.Debug, "Nobody answered who produces on stream {Key}")]
    private partial void LogNoAnswer(string key);

    [LoggerMessage(1588, LogLevel.Warning, "The producer of stream {Key} cannot be asked whether it produces")]
    private partial void LogNotAskable(string key, Exception exception);
}
