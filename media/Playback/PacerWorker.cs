using System.Diagnostics.Metrics;

namespace VoiceGrains.Media;

/// <summary>One thread of a <see cref="Pacer"/> and its items.</summary>
internal sealed class PacerWorker(
    TimeProvider clock, TimeSpan period, Histogram<double> lateness, Counter<long> missed, Action<IPaced, Exception> onFailed)
{
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _changed = new(false);
    private volatile Registration[] _items = [];        // copied on each change, so that the thread walks it without a lock
    private volatile bool _isStopped;
    private Thread? _thread;

    public int Items => _items.Length;

    public Registration Add(IPaced item)
    {
        var registration = new Registration(this, item);
        lock (_gate)
            _items = [.. _items, registration];
        _changed.Set();
        return registration;
    }

    public void Start(string name)
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true, Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    public void Stop()
    {
        _isStopped = true;
        _changed.Set();
    }

    public void Join(TimeSpan timeout)
    {
        if (_thread is not null && _thread != Thread.CurrentThread)
            _thread.Join(timeout);
    }

    public void TickAll(long now)
    {
        foreach (var registration in _items)
        {
            try
            {
                registration.Tick(now);
            }
            catch (Exception exception)
            {
                Remove(registration);
                Report(registration, exception);
            }
        }
    }

    private void Run()
    {
        var step = Math.Max(1, (long)(period.TotalSeconds * clock.TimestampFrequency));
        var deadline = clock.GetTimestamp();
        while (!_isStopped)
        {
            if (_items.Length == 0)
            {
                _changed.WaitOne();
                deadline = clock.GetTimestamp();
                continue;
            }
            var now = clock.GetTimestamp();
            if (now < deadline)
            {
                // Rounded up: a tick may be a millisecond late, but no time is burnt by waking before its deadline.
                Thread.Sleep((int)Math.Ceiling(clock.GetElapsedTime(now, deadline).TotalMilliseconds));
                continue;
            }
            lateness.Record(clock.GetElapsedTime(deadline, now).TotalSeconds);
            TickAll(now);
            var skipped = (now - deadline) / step;
            if (skipped > 0)
                missed.Add(skipped);
            deadline += (skipped + 1) * step;
        }
    }

    private void Report(Registration registration, Exception exception)
    {
        try
        {
            onFailed(registration.Item, exception);
        }
        catch (Exception)
        {
            // An item that fails to hear of its own failure must not take the thread, and with it other calls, along. The failure itself was logged.
        }
    }

    private void Remove(Registration registration)
    {
        lock (_gate)
            _items = [.. _items.Where(other => other != registration)];
    }

    /// <summary>An item's place on the thread.</summary>
    internal sealed class Registration(PacerWorker worker, IPaced item) : IDisposable
    {
        private readonly Lock _ticking = new();     // re-entrant: an item may remove itself from within its tick
        private volatile bool _isRemoved;

        public IPaced Item => item;

        public void Tick(long now)
        {
            lock (_ticking)
            {
                if (!_isRemoved)
                    item.Tick(now);
            }
        }

        public void Dispose()
        {
            _isRemoved = true;
            worker.Remove(this);
            lock (_ticking)
            {
                // Waits for a tick that had begun.
            }
        }
    }
}
