using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Providers.Recognition.Pocketsphinx;

/// <summary>
/// The embedded recognizer: libpocketsphinx in process, on its own threads. A bounded pool of decoders serves the turns in the order in which
/// they begin; each decoder belongs to one dedicated thread (decoding is pure computation and would starve the thread pool) and to one turn at a time.
/// Audio is decoded while the user speaks, so that ending a turn costs only its tail.
/// </summary>
public sealed partial class PocketsphinxRecognizer : IRecognizer, IDisposable, IAsyncDisposable
{
    internal const string ProviderName = "pocketsphinx";
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);
    private readonly BlockingCollection<PocketsphinxTurn> waiting;
    private readonly ConcurrentDictionary<PocketsphinxTurn, byte> decoding = new();
    private readonly Lock gate = new();
    private readonly List<Thread> workers = [];
    private readonly ILogger logger;
    private readonly Meter meter = new("VoiceGrains.Providers.Pocketsphinx");
    private readonly Counter<long> droppedSamples;
    private long dropped;
    private int idle;
    private bool disposed;

    /// <summary>Loads nothing yet: see <see cref="WarmAsync"/>.</summary>
    public PocketsphinxRecognizer(PocketsphinxOptions options, ILoggerFactory loggers, TimeProvider clock)
    {
        Options = options;
        Clock = clock;
        logger = loggers.CreateLogger<PocketsphinxRecognizer>();
        waiting = new(options.MaxQueuedTurns);
        droppedSamples = meter.CreateCounter<long>("voicegrains.recognition.dropped", "{sample}", "16 kHz samples dropped because a turn's audio queue was full");
        meter.CreateObservableGauge("voicegrains.recognition.queued", () => waiting.Count, "{turn}", "Turns waiting for a decoder");
        meter.CreateObservableGauge("voicegrains.recognition.active", () => decoding.Count, "{turn}", "Turns being decoded");
    }

    internal PocketsphinxOptions Options { get; }
    internal TimeProvider Clock { get; }
    internal long MaxQueuedSamples => (long)(Options.MaxQueuedAudio.TotalSeconds * PocketsphinxDecoder.SampleRateHz);

    /// <summary>Samples dropped since the start because a turn's queue was full.</summary>
    public long DroppedSamples => Interlocked.Read(ref dropped);

    /// <summary>Whether the library and the models are installed. Cheap; loads no model.</summary>
    /// <param name="why">What is missing and which Debian package has it; empty when nothing is.</param>
    public bool IsAvailable(out string why) => PocketsphinxDecoder.IsAvailable(Options, out why);

    /// <summary>Loads the first <see cref="PocketsphinxOptions.WarmDecoders"/> decoders, about half a second each, on their own threads.</summary>
    /// <exception cref="ProviderException"><see cref="ProviderFault.Unavailable"/>: the library or a model is missing.</exception>
    public Task WarmAsync(CancellationToken cancellationToken)
    {
        var loads = new List<Task>();
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            while (workers.Count < Math.Min(Options.WarmDecoders, Options.MaxDecoders))
                loads.Add(StartWorker());
        }
        return Task.WhenAll(loads).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public IRecognition Start(RecognitionOptions options) => new PocketsphinxTurn(this, options);

    /// <summary>Stops the decoders. Turns that still run end with <see cref="ProviderFault.Unavailable"/>. Waits at most 2 s.</summary>
    public void Dispose()
    {
        Thread[] stopping;
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            waiting.CompleteAdding();
            stopping = [.. workers];
        }
        var stopped = new ProviderException(ProviderName, ProviderFault.Unavailable, "The recognizer is shutting down.");
        while (waiting.TryTake(out var turn))
            turn.Fail(stopped);
        foreach (var turn in decoding.Keys)
            turn.Fail(stopped);
        var since = Clock.GetTimestamp();
        foreach (var worker in stopping)
        {
            var left = StopPatience - Clock.GetElapsedTime(since);
            worker.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);   // a worker still inside the library frees its decoder when it returns
        }
        meter.Dispose();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
        => await Task.Factory.StartNew(Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    internal bool TryEnqueue(PocketsphinxTurn turn, out ProviderException fault)
    {
        fault = null!;
        lock (gate)
        {
            if (disposed)
                fault = new(ProviderName, ProviderFault.Unavailable, "The recognizer is shutting down.");
            else if (!waiting.TryAdd(turn))
                fault = new(ProviderName, ProviderFault.RateLimited, $"{Options.MaxQueuedTurns} turns wait for a decoder already.");
            else if (waiting.Count > Volatile.Read(ref idle) && workers.Count < Options.MaxDecoders)
                _ = StartWorker();
        }
        return fault is null;
    }

    internal void CountDropped(int samples)
    {
        Interlocked.Add(ref dropped, samples);
        droppedSamples.Add(samples);
    }

    /// <summary>Throws away what a decoder has begun, now rather than at the expense of the next turn; at shutdown freeing it is faster.</summary>
    internal void Discard(PocketsphinxDecoder decoder)
    {
        if (!waiting.IsAddingCompleted)
            decoder.Discard();
    }

    private Task StartWorker()
    {
        var loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var worker = new Thread(() => Run(loaded)) { IsBackground = true, Name = $"pocketsphinx {workers.Count}" };
        workers.Add(worker);
        worker.Start();
        return loaded.Task;
    }

    private void Run(TaskCompletionSource loaded)
    {
        PocketsphinxDecoder? decoder = null;
        try
        {
            decoder = TryLoad(loaded, out var fault);
            Interlocked.Increment(ref idle);
            foreach (var turn in waiting.GetConsumingEnumerable())
            {
                Interlocked.Decrement(ref idle);
                decoder ??= TryLoad(loaded, out fault);   // the package may have been installed since
                if (decoder is null)
                    turn.Fail(fault!);
                else
                    Decode(turn, decoder);
                Interlocked.Increment(ref idle);
            }
        }
        finally
        {
            decoder?.Dispose();
        }
    }

    private PocketsphinxDecoder? TryLoad(TaskCompletionSource loaded, out ProviderException? fault)
    {
        try
        {
            var since = Clock.GetTimestamp();
            var decoder = new PocketsphinxDecoder(Options);
            LogLoaded(Clock.GetElapsedTime(since).TotalMilliseconds);
            loaded.TrySetResult();
            fault = null;
            return decoder;
        }
        catch (Exception exception)
        {
            fault = exception as ProviderException
                ?? new ProviderException(ProviderName, ProviderFault.Unavailable, "pocketsphinx could not be loaded: " + exception.Message, exception);
            LogLoadFailed(fault.Message);
            if (loaded.TrySetException(fault))
                _ = loaded.Task.Exception;   // observed: nobody waits for a decoder started on demand
            return null;
        }
    }

    private void Decode(PocketsphinxTurn turn, PocketsphinxDecoder decoder)
    {
        decoding[turn] = 0;
        try
        {
            if (waiting.IsAddingCompleted)
                throw new ProviderException(ProviderName, ProviderFault.Unavailable, "The recognizer is shutting down.");
            turn.Decode(decoder);
        }
        catch (Exception exception)
        {
            LogDecodeFailed(exception);
            turn.Fail(exception as ProviderException
                ?? new ProviderException(ProviderName, ProviderFault.ServerError, "Decoding failed: " + exception.Message, exception));
        }
        finally
        {
            decoding.TryRemove(turn, out _);
        }
    }

    [LoggerMessage(3201, LogLevel.Debug, "A decoder was loaded in {Milliseconds:0} ms")]
    private partial void LogLoaded(double milliseconds);

    [LoggerMessage(3202, LogLevel.Error, "No decoder could be loaded: {Reason}")]
    private partial void LogLoadFailed(string reason);

    [LoggerMessage(3203, LogLevel.Error, "A turn could not be decoded")]
    private partial void LogDecodeFailed(Exception exception);

    [LoggerMessage(3204, LogLevel.Error, "The listener for partial texts failed")]
    internal partial void LogPartialFailed(Exception exception);
}
