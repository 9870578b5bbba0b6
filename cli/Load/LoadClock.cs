using System.Diagnostics;

namespace VoiceGrains.Cli.Load;

/// <summary>Ticks every call each 20 ms from one thread, the calls spread over four slots of 5 ms. A late slot is caught up with, as real callers' clocks do not wait.</summary>
internal sealed class LoadClock : IDisposable
{
    private const int Slots = 4;
    private static readonly TimeSpan Slot = TimeSpan.FromMilliseconds(SpeechLoop.FrameMs / Slots);
    private readonly Lock gate = new();
    private readonly LoadCall[][] slots = [.. Enumerable.Repeat(Array.Empty<LoadCall>(), Slots)];
    private readonly Thread thread;
    private volatile bool isStopping;

    public LoadClock()
    {
        thread = new Thread(Run) { IsBackground = true, Name = "load clock", Priority = ThreadPriority.AboveNormal };
        thread.Start();
    }

    /// <summary>The furthest that the clock itself was behind: beyond a few milliseconds the machine, not the server, is what was measured.</summary>
    public TimeSpan WorstLateness { get; private set; }

    public void Add(LoadCall call)
    {
        lock (gate)
        {
            var emptiest = Array.IndexOf(slots, slots.MinBy(slot => slot.Length));
            slots[emptiest] = [.. slots[emptiest], call];
        }
    }

    public void StartMeasuring() => WorstLateness = TimeSpan.Zero;

    public void Dispose()
    {
        isStopping = true;
        thread.Join();
    }

    private void Run()
    {
        var start = Stopwatch.GetTimestamp();
        for (var tick = 0L; !isStopping; tick++)
        {
            var wait = tick * Slot - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                Thread.Sleep(wait);
            else if (-wait > WorstLateness)
                WorstLateness = -wait;
            foreach (var call in Volatile.Read(ref slots[tick % Slots]))
                call.Tick();
        }
    }
}
