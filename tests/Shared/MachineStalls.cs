using System.Diagnostics;
using Xunit;

namespace VoiceGrains.Tests.Shared;

/// <summary>
/// How long the machine kept this process waiting while a test measured time: two hearts beat, one on a thread of its own and one on the thread pool,
/// and a beat that comes late tells of a stall (other programs, a collection, a paused virtual machine). On a quiet machine a measurement must be right;
/// where the machine itself stalled, a wrong one proves nothing, and <see cref="RetryAsync"/> takes it again.
/// </summary>
internal sealed class MachineStalls : IDisposable
{
    private const int Attempts = 3;

    /// <summary>Enough to spoil a measurement: what passes several threads on its way may be kept waiting at each.</summary>
    private static readonly TimeSpan Notable = TimeSpan.FromMilliseconds(20);

    /// <summary>No machine that a call could be measured on.</summary>
    private static readonly TimeSpan Hopeless = TimeSpan.FromMilliseconds(100);

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

    /// <summary>
    /// Runs a test whose measurements are taken by <see cref="Measure"/>, up to three times as long as the machine spoils them. The last time only a machine
    /// that stalled for very long is an excuse, and the test is skipped.
    /// </summary>
    public static async Task RetryAsync(Func<Task> test)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await test();
                return;
            }
            catch (SpoiltMeasurementException spoilt)
            {
                if (attempt < Attempts) continue;
                if (spoilt.Stall < Hopeless) throw;
                Assert.Skip(spoilt.Message);
            }
        }
    }

    /// <summary>Asserts what depends on real time. A failure counts only when the machine did not stall.</summary>
    public void Measure(Action assert)
    {
        try
        {
            assert();
        }
        catch (Exception failure) when (Worst > Notable)
        {
            throw new SpoiltMeasurementException(Worst, failure);
        }
    }

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

/// <summary>A measurement was wrong, and the machine had stalled.</summary>
internal sealed class SpoiltMeasurementException(TimeSpan stall, Exception failure)
    : Exception($"The machine stalled for {stall.TotalMilliseconds:0} ms. {failure.Message}", failure)
{
    public TimeSpan Stall => stall;
}
