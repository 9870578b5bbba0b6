using System.Diagnostics;

namespace VoiceGrains.Tests.Shared;

/// <summary>
/// How long the machine kept this process waiting while a test measured time: two hearts beat, one on a thread of its own and one on the thread pool,
/// and a beat that comes late tells of a stall (other programs, a collection, a paused virtual machine). A test that asserts real time adds
/// <see cref="Allowance"/> to its tolerance: it is next to nothing on a quiet machine, where a slow product still fails.
/// </summary>
internal sealed class MachineStalls : IDisposable
{
    /// <summary>Sound and messages pass several threads and processes on their way, and each may be kept waiting.</summary>
    private const int HandOvers = 4;

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource stop = new();
    private readonly List<(long End, TimeSpan Length)> stalls = [];
    private readonly Lock gate = new();

    public MachineStalls()
    {
        new Thread(BeatOnThread) { IsBackground = true, Name = "heartbeat" }.Start();
        _ = Task.Run(BeatOnPoolAsync);
    }

    /// <summary>The longest stall so far.</summary>
    public TimeSpan Worst => WorstSince(0);

    /// <summary>What one event may be late by because of the machine, in seconds.</summary>
    public double Allowance => HandOvers * Worst.TotalSeconds;

    /// <summary>The longest stall that ended after a timestamp of <see cref="Stopwatch"/>.</summary>
    public TimeSpan WorstSince(long timestamp)
    {
        lock (gate)
            return stalls.Where(stall => stall.End >= timestamp).Select(stall => stall.Length).DefaultIfEmpty().Max();
    }

    public void Dispose() => stop.Cancel();

    public override string ToString() => $"The machine stalled for up to {Worst.TotalMilliseconds:0} ms.";

    private void BeatOnThread()
    {
        for (var last = Stopwatch.GetTimestamp(); !stop.IsCancellationRequested; last = Note(last))
            Thread.Sleep(Beat);
    }

    private async Task BeatOnPoolAsync()
    {
        for (var last = Stopwatch.GetTimestamp(); !stop.IsCancellationRequested; last = Note(last))
            await Task.Delay(Beat, CancellationToken.None);
    }

    /// <returns>The time of this beat.</returns>
    private long Note(long last)
    {
        var now = Stopwatch.GetTimestamp();
        var late = Stopwatch.GetElapsedTime(last, now) - Beat;
        lock (gate)
        {
            // Only what is longer than all that ended later can be asked for: the list stays as short as the stalls are rare.
            while (stalls.Count > 0 && stalls[^1].Length <= late) stalls.RemoveAt(stalls.Count - 1);
            stalls.Add((now, late));
        }
        return now;
    }
}
