using System.Diagnostics;
using VoiceGrains.Cli.Audio;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Load;

/// <summary>Ramps calls up, measures them for a time, ends them and reports.</summary>
internal sealed class LoadSession(LoadOptions options)
{
    private const int DefaultClientBufferMs = 60;       // the server's default
    private const int MostStartingAtOnce = 20;
    private static readonly TimeSpan MetricsLimit = TimeSpan.FromSeconds(5);
    private readonly Random random = new(1);        // the same phases in every run, so that runs compare

    public async Task<LoadReport> RunAsync(CancellationToken cancellationToken)
    {
        var loop = new SpeechLoop(CallerAudio.Read(options.File, options.Call.SampleRateHz), options.Pause);
        var report = new LoadReport { Calls = options.Calls };
        using var client = new CallClient(options.Server);
        using var http = new HttpClient { BaseAddress = options.Server.Url, Timeout = MetricsLimit };
        var idle = options.ProcessId is { } id ? ServerProcess.Read(id) : (ServerProcess?)null;
        using var clock = new LoadClock();
        var calls = await RampUpAsync(client, loop, clock, report, cancellationToken);
        try
        {
            await MeasureAsync(http, calls, clock, report, idle, cancellationToken);
        }
        finally
        {
            await Task.WhenAll(calls.Select(call => call.CloseAsync()));
            await Task.WhenAny(Task.WhenAll(calls.Select(call => call.Receiving)), Task.Delay(TimeSpan.FromSeconds(3), CancellationToken.None));
            calls.ForEach(call => call.Dispose());
        }
        return report;
    }

    private async Task<List<LoadCall>> RampUpAsync(CallClient client, SpeechLoop loop, LoadClock clock, LoadReport report, CancellationToken cancellationToken)
    {
        var calls = new List<LoadCall>();
        using var starting = new SemaphoreSlim(MostStartingAtOnce);
        var starts = new List<Task>();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < options.Calls; i++)
        {
            var due = TimeSpan.FromSeconds(i / options.RampPerSecond) - Stopwatch.GetElapsedTime(start);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, cancellationToken);
            await starting.WaitAsync(cancellationToken);
            starts.Add(StartOneAsync(random.Next(loop.Frames)));
        }
        await Task.WhenAll(starts);
        if (calls.Count == 0)
            throw new CliException($"No call could be started: {report.Problems[0].Message}", report.Problems[0].ExitCode);
        return calls;

        async Task StartOneAsync(int startFrame)
        {
            try
            {
                var created = await client.CreateAsync(options.Call, cancellationToken);
                var socket = await CallSocket.JoinAsync(created.JoinUrl, cancellationToken);
                var buffer = TimeSpan.FromMilliseconds(options.Call.ClientBufferMs ?? DefaultClientBufferMs);
                var call = new LoadCall(socket, loop, startFrame, options.Call.SampleRateHz, buffer);
                clock.Add(call);
                lock (calls)
                    calls.Add(call);
            }
            catch (CliException problem)
            {
                lock (calls)
                {
                    report.Failed++;
                    report.Problems.Add(problem);
                }
            }
            finally
            {
                starting.Release();
            }
        }
    }

    private async Task MeasureAsync(
        HttpClient http, List<LoadCall> calls, LoadClock clock, LoadReport report, ServerProcess? idle, CancellationToken cancellationToken)
    {
        var metrics = await ServerMetrics.ReadAsync(http, CancellationToken.None);
        var before = options.ProcessId is { } id ? ServerProcess.Read(id) : (ServerProcess?)null;
        calls.ForEach(call => call.StartMeasuring());
        clock.StartMeasuring();
        var start = Stopwatch.GetTimestamp();
        await Task.Delay(options.Duration, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);        // Ctrl-C: what was measured so far is reported
        report.Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        calls.ForEach(call => call.AddTo(report));
        report.ClientLatenessMs = Math.Round(clock.WorstLateness.TotalMilliseconds, 1);
        if (before is { } then && options.ProcessId is { } same)
        {
            var after = ServerProcess.Read(same);
            report.ServerCores = Math.Round((after.Cpu - then.Cpu).TotalSeconds / report.Seconds, 3);
            (report.ServerBytesBefore, report.ServerBytesAfter) = (idle?.ResidentBytes, after.ResidentBytes);
        }
        report.Runtime = await ServerMetrics.ReadAsync(http, CancellationToken.None) - metrics;
    }
}
