using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Media;

/// <summary>
/// The clock of all calls: a few dedicated threads that tick every item each 10 ms. Deadlines stand on a fixed grid, so that lateness never adds up;
/// ticks that were missed altogether are left out. Thread-safe.
/// </summary>
public sealed partial class Pacer : IDisposable
{
    public const string MeterName = "VoiceGrains.Media";

    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Meter _meter;
    private readonly PacerWorker[] _workers;
    private readonly bool _isManual;
    private bool _isDisposed;
    private uint _turn;

    /// <param name="options">Threads and period.</param>
    /// <param name="clock">Source of the timestamps; the threads themselves wait in real time.</param>
    /// <param name="logger">Told when an item fails.</param>
    /// <param name="meters">Makes the meter "VoiceGrains.Media"; null makes one outside of any container.</param>
    public Pacer(PacerOptions options, TimeProvider clock, ILogger<Pacer> logger, IMeterFactory? meters = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Period, TimeSpan.FromMilliseconds(1));
        (_clock, _logger) = (clock, logger);
        _meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        var lateness = _meter.CreateHistogram("voicegrains.media.pacer.lateness", "s", "How long after its deadline a tick began",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1] });
        var missed = _meter.CreateCounter<long>("voicegrains.media.pacer.missed_ticks", description: "Ticks left out because the one before came too late");
        _meter.CreateObservableUpDownCounter("voicegrains.media.pacer.items", () => Items, description: "Items that are ticked");
        _isManual = options.Threads == 0;
        _workers = new PacerWorker[Math.Max(1, options.Threads)];
        for (var i = 0; i < _workers.Length; i++)
            _workers[i] = new PacerWorker(clock, options.Period, lateness, missed, OnFailed);
        for (var i = 0; i < options.Threads; i++)
            _workers[i].Start($"pacer-{i}");
    }

    /// <summary>Items that are ticked.</summary>
    public int Items => _workers.Sum(worker => worker.Items);

    /// <summary>
    /// Ticks <paramref name="item"/> from now on, on the thread that has the fewest items. An item that throws is told by
    /// <see cref="IPaced.OnTickFailed"/>, logged and removed.
    /// </summary>
    /// <returns>
    /// Removes it. Safe at any time and from any thread, also from within a tick: when it returns, no other thread is in the item's tick or will be.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The pacer was disposed.</exception>
    public IDisposable Add(IPaced item)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return NextWorker().Add(item);
        }
    }

    /// <summary>Ticks every item once, on the caller's thread. Only without threads (<see cref="PacerOptions.Threads"/> 0).</summary>
    /// <exception cref="InvalidOperationException">The pacer has threads.</exception>
    public void TickOnce()
    {
        if (!_isManual)
            throw new InvalidOperationException("This pacer ticks by its own threads.");
        _workers[0].TickAll(_clock.GetTimestamp());
    }

    /// <summary>Stops the threads and waits up to a second for each.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }
        foreach (var worker in _workers)
            worker.Stop();
        foreach (var worker in _workers)
            worker.Join(TimeSpan.FromSeconds(1));
        _meter.Dispose();
    }

    /// <summary>
    /// Of several with the fewest items not always the first: a call adds its items one after the other, and then the heavy ones of all calls would meet on
    /// one thread, the light ones on another.
    /// </summary>
    private PacerWorker NextWorker()
    {
        var fewest = _workers.Min(worker => worker.Items);
        PacerWorker[] free = [.. _workers.Where(worker => worker.Items == fewest)];
        return free.Length == 1 ? free[0] : free[_turn++ % free.Length];
    }

    private void OnFailed(IPaced item, Exception exception)
    {
        LogItemFailed(item.GetType().Name, exception);
        item.OnTickFailed(exception);
    }

    [LoggerMessage(2001, LogLevel.Error, "{Item} failed in its tick and is no longer paced")]
    private partial void LogItemFailed(string item, Exception exception);
}
