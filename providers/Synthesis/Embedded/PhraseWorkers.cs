using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Providers.Synthesis.Embedded;

/// <summary>One engine with all its native state. Created, used and disposed by one thread.</summary>
internal interface IPhraseEngine : IDisposable
{
    /// <summary>Speaks the phrase into the job and returns; <see cref="PhraseJob.Complete"/> is the caller's.</summary>
    void Speak(PhraseJob job);
}

/// <summary>
/// A bounded queue of phrases served by dedicated threads with an engine each. Synthesis is pure computation, which would starve the thread pool.
/// A full queue refuses the phrase.
/// </summary>
internal sealed partial class PhraseWorkers : IDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);
    private readonly string provider;
    private readonly Func<IPhraseEngine> create;
    private readonly int maxThreads;
    private readonly BlockingCollection<PhraseJob> queue;
    private readonly ConcurrentDictionary<PhraseJob, byte> speaking = new();
    private readonly List<Thread> threads = [];
    private readonly Lock gate = new();
    private readonly ILogger logger;
    private readonly Meter meter;
    private int idle;
    private bool disposed;

    public PhraseWorkers(string provider, int maxThreads, int maxQueued, Func<IPhraseEngine> create, ILogger logger)
    {
        (this.provider, this.maxThreads, this.create, this.logger) = (provider, maxThreads, create, logger);
        queue = new(maxQueued);
        meter = new("VoiceGrains.Providers.Synthesis", null, [new("provider", provider)]);
        meter.CreateObservableGauge("voicegrains.synthesis.queued", () => queue.Count, "{phrase}", "Phrases waiting for an engine thread");
        meter.CreateObservableGauge("voicegrains.synthesis.active", () => speaking.Count, "{phrase}", "Phrases being synthesized");
    }

    /// <exception cref="ProviderException">The queue is full, or the workers are stopped.</exception>
    public void Enqueue(PhraseJob job)
    {
        lock (gate)
        {
            if (disposed)
                throw Stopped();
            if (!queue.TryAdd(job))
                throw new ProviderException(provider, ProviderFault.RateLimited, $"{queue.BoundedCapacity} phrases wait for {provider} already.");
            if (queue.Count > Volatile.Read(ref idle) && threads.Count < maxThreads)
                StartThread();
        }
    }

    /// <summary>Cancels what runs and waits at most 2 s for the threads, which stop between two stretches of sound.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            queue.CompleteAdding();
        }
        while (queue.TryTake(out var waiting))
            waiting.Complete(Stopped());
        foreach (var job in speaking.Keys)
        {
            job.Cancel();
            job.Complete(Stopped());
        }
        var deadline = Environment.TickCount64 + (long)StopPatience.TotalMilliseconds;
        foreach (var thread in threads)
            thread.Join((int)Math.Max(0, deadline - Environment.TickCount64));
        meter.Dispose();
    }

    private ProviderException Stopped() => new(provider, ProviderFault.Unavailable, $"{provider} is shutting down.");

    private void StartThread()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = $"{provider} {threads.Count}" };
        threads.Add(thread);
        thread.Start();
    }

    private void Run()
    {
        IPhraseEngine? engine = null;
        Interlocked.Increment(ref idle);
        try
        {
            foreach (var job in queue.GetConsumingEnumerable())
            {
                Interlocked.Decrement(ref idle);
                Speak(job, ref engine);
                Interlocked.Increment(ref idle);
            }
        }
        finally
        {
            engine?.Dispose();
        }
    }

    private void Speak(PhraseJob job, ref IPhraseEngine? engine)
    {
        speaking[job] = 0;
        try
        {
            if (!job.IsCancelled && !queue.IsAddingCompleted)
                (engine ??= create()).Speak(job);
            job.Complete(queue.IsAddingCompleted ? Stopped() : null);
        }
        catch (ProviderException exception)
        {
            job.Complete(exception);
        }
        catch (Exception exception)
        {
            LogFailed(provider, exception);
            job.Complete(new ProviderException(provider, ProviderFault.ServerError, $"{provider} failed: {exception.Message}", exception));
        }
        finally
        {
            speaking.TryRemove(job, out _);
        }
    }

    [LoggerMessage(3251, LogLevel.Error, "{Provider} could not speak a phrase")]
    private partial void LogFailed(string provider, Exception exception);
}
