using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Stores messages and events of live calls: writers add to a bounded buffer and never wait, one loop stores batches and tries again while the database is
/// away. Entries are stored in the order they were written. What an overfull buffer gives up is said at <see cref="CallJournalBuffer"/> and counted.
/// </summary>
internal sealed partial class CallJournal : BackgroundService, ICallJournal, ICallEventWriter
{
    private readonly CallJournalOptions _options;
    private readonly CallJournalBuffer _buffer;
    private readonly CallJournalWriter _writer;
    private readonly CallJournalMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<CallJournal> _logger;

    // Signals of capacity one: a second signal before the first was seen adds nothing.
    private readonly Channel<bool> _arrived = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Channel<bool> _hurry = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _abandon = new();

    private readonly Lock _lock = new();
    private readonly List<(long Sequence, TaskCompletionSource Stored)> _waiting = [];
    private long _storedUpTo;
    private int _dropped;

    public CallJournal(
        NpgsqlDataSource database, IOptions<CallJournalOptions> options, IMeterFactory meters, TimeProvider clock, ILogger<CallJournal> logger)
    {
        _options = options.Value;
        _buffer = new CallJournalBuffer(_options.Capacity, _options.CharacterCapacity);
        _writer = new CallJournalWriter(database, clock);
        _metrics = new CallJournalMetrics(meters, () => _buffer.Count);
        _clock = clock;
        _logger = logger;
    }

    public void Write(string callId, int generation, Message message, bool isInitial = false)
        => Add(new CallJournalEntry(0, callId, generation, message, null) { IsInitial = isInitial });

    public void Write(int generation, CallEvent callEvent) => Add(new CallJournalEntry(0, callEvent.CallId, generation, null, callEvent));

    public void Write(string callId, int generation, StageTokens tokens) => Add(new CallJournalEntry(0, callId, generation, null, null) { Tokens = tokens });

    public Task FlushAsync(string callId, CancellationToken cancellationToken)
    {
        TaskCompletionSource stored;
        lock (_lock)
        {
            var written = _buffer.Written;
            if (_storedUpTo >= written) return Task.CompletedTask;
            stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((written, stored));
        }
        _hurry.Writer.TryWrite(true);
        return stored.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Goes on storing what is left, and waiting for the database, for <see cref="CallJournalOptions.ShutdownTimeout"/> at most.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _abandon.CancelAfter(_options.ShutdownTimeout);
        await base.StopAsync(cancellationToken);
        if (ExecuteTask is null or { IsCompleted: true }) await DrainAsync();     // the loop may have stopped, or never begun, with entries left
    }

    public override void Dispose()
    {
        _abandon.Dispose();
        _metrics.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await WaitForEntriesAsync(stoppingToken)) await DrainAsync();
    }

    /// <summary>Stores until nothing is left or <see cref="_abandon"/> fires.</summary>
    private async Task DrainAsync()
    {
        try
        {
            while (_buffer.Take(_options.BatchSize) is { Count: > 0 } batch)
            {
                await StoreAsync(batch, _abandon.Token);
                Settle();
            }
        }
        catch (OperationCanceledException) when (_abandon.IsCancellationRequested)
        {
            LogAbandoned(_buffer.Count);
            GiveUpWaiting();
        }
    }

    private void Add(CallJournalEntry entry)
    {
        var drops = _buffer.Add(entry);
        if (drops.Any)
        {
            _metrics.Dropped(drops, "full");
            Interlocked.Add(ref _dropped, drops.Messages + drops.Events);
        }
        _arrived.Writer.TryWrite(true);
    }

    /// <summary>Waits for the first entry, then for others to share its transaction, unless somebody waits for it. False when the silo stops.</summary>
    private async Task<bool> WaitForEntriesAsync(CancellationToken stopping)
    {
        try
        {
            await _arrived.Reader.ReadAsync(stopping);
            using var linger = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Task.WhenAny(Task.Delay(_options.Linger, _clock, linger.Token), _hurry.Reader.WaitToReadAsync(linger.Token).AsTask());
            await linger.CancelAsync();
            _hurry.Reader.TryRead(out _);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Tries until the batch is stored.</summary>
    private async Task StoreAsync(List<CallJournalEntry> batch, CancellationToken cancellationToken)
    {
        for (var (failures, backoff) = (0, new Backoff(_options.RetryDelay, _options.LongestRetryDelay)); ; failures++)
        {
            try
            {
                var started = _clock.GetTimestamp();
                await _writer.StoreAsync(batch, _options.CommandTimeout, cancellationToken);
                _metrics.Stored(batch.Count, _clock.GetElapsedTime(started));
                if (failures > 0) LogRecovered(failures);
                return;
            }
            catch (PostgresException refused) when (IsAboutData(refused))
            {
                await StoreInPartsAsync(batch, refused, cancellationToken);
                return;
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                _metrics.Failed();
                if (failures == 0) LogFailed(batch.Count, failure);
            }
            await Task.Delay(backoff.Next(), _clock, cancellationToken);
        }
    }

    /// <summary>One entry that the database cannot hold must not keep the others out: halves until it is alone, and gives it up.</summary>
    private async Task StoreInPartsAsync(List<CallJournalEntry> batch, PostgresException refused, CancellationToken cancellationToken)
    {
        if (batch is [var alone])
        {
            _metrics.Dropped(new CallJournalDrops().With(alone), "refused");
            LogRefused(alone.CallId, refused.SqlState);
            return;
        }
        var half = batch.Count / 2;
        await StoreAsync(batch[..half], cancellationToken);
        await StoreAsync(batch[half..], cancellationToken);
    }

    /// <summary>Data exceptions (class 22) and program limits (class 54): trying the same again would fail for ever.</summary>
    private static bool IsAboutData(PostgresException refused)
        => refused.SqlState.StartsWith("22", StringComparison.Ordinal) || refused.SqlState.StartsWith("54", StringComparison.Ordinal);

    private void Settle()
    {
        if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped) LogDropped(dropped);
        lock (_lock)
        {
            _storedUpTo = _buffer.TakenUpTo();
            _waiting.RemoveAll(waiter => waiter.Sequence <= _storedUpTo && waiter.Stored.TrySetResult());
        }
    }

    private void GiveUpWaiting()
    {
        lock (_lock) _waiting.RemoveAll(waiter => waiter.Stored.TrySetCanceled(_abandon.Token));
    }

    [LoggerMessage(1050, LogLevel.Warning, "{Count} messages and events of calls could not be stored; they are kept and tried again")]
    private partial void LogFailed(int count, Exception exception);

    [LoggerMessage(1051, LogLevel.Information, "Messages and events of calls are stored again after {Failures} failed attempts")]
    private partial void LogRecovered(int failures);

    [LoggerMessage(1052, LogLevel.Error, "{Count} messages and events of calls were given up: the buffer was full")]
    private partial void LogDropped(int count);

    [LoggerMessage(1053, LogLevel.Error, "An entry of call {CallId} was given up: the database refuses it ({SqlState})")]
    private partial void LogRefused(string callId, string sqlState);

    [LoggerMessage(1054, LogLevel.Error, "The silo stopped before messages and events of calls were stored: the last batch and {Count} more are lost")]
    private partial void LogAbandoned(int count);
}
