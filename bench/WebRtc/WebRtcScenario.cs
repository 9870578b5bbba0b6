using System.CommandLine;
using System.Globalization;
using VoiceGrains.Bench.Scenarios;
using VoiceGrains.Cli;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>What a WebRTC call costs the server beyond its codec and its encryption.</summary>
internal static class WebRtcScenario
{
    private const double MostRatio = 1.6, MostBytesPerPacket = 0.5, MostLatencyMs = 2, MostBareLatencyMs = 1;
    private const int FramesPerSecond = 50;
    /// <summary>Of 100 packets that are due, how many must leave: a server that does less of the work of a call looks cheap.</summary>
    private const double WholeShare = 97;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15), Settle = TimeSpan.FromSeconds(2);
    private static readonly Option<int> Calls = new("--calls") { Description = "Calls at the same time.", DefaultValueFactory = _ => 100 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "How long each round measures.", DefaultValueFactory = _ => 5 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "Rounds that count, each of the server and of the bare side.", DefaultValueFactory = _ => 5 };

    public static Command Command()
    {
        var command = new Command("webrtc", "WebRTC calls beside bare Opus and SRTP: CPU, allocation, and the time that a packet takes.") { Calls, Seconds, Rounds };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult given, CancellationToken cancellationToken)
    {
        Console.WriteLine(Scenario.Machine());
        var (speech, duration) = (new Speech(), TimeSpan.FromSeconds(given.GetValue(Seconds)));
        await using var server = await MediaServerProcess.StartAsync(cancellationToken);
        using var probed = await JoinAsync(server, echoes: true, cancellationToken);
        using var prober = new Prober(probed, server.EchoPort, speech);
        await ProbeAsync(prober, WarmUp, cancellationToken);
        var alone = await ProbeAsync(prober, duration * given.GetValue(Rounds), cancellationToken);

        List<Caller> joined = [];
        for (var i = 0; i < given.GetValue(Calls); i++) joined.Add(await JoinAsync(server, echoes: false, cancellationToken));
        using var callers = new Callers(joined, speech);
        using var bare = new BareSide(joined.Count, joined[0].Profile, speech);
        _ = await MeasureAsync(server, callers, prober, bare, WarmUp, cancellationToken);
        Console.WriteLine("| round | server µs per frame | bare µs | ratio | socket µs | bytes per packet | of 100 packets in, out, received | of 100 frames heard |\n|---|---|---|---|---|---|---|---|");
        List<Round> rounds = [];
        for (var i = 1; rounds.Count < given.GetValue(Rounds) && i <= 3 * given.GetValue(Rounds); i++)
        {
            var round = await MeasureAsync(server, callers, prober, bare, duration, cancellationToken);
            Console.WriteLine(round.Row(i));
            if (round.IsWhole) rounds.Add(round);
        }
        foreach (var caller in joined) caller.Dispose();
        return rounds.Count > 0 ? Judge(rounds, alone) : throw new CliException("The machine is too busy: in no round did the server send all that was due.");
    }

    private static async Task<Caller> JoinAsync(MediaServerProcess server, bool echoes, CancellationToken cancellationToken)
    {
        var caller = new Caller();
        await caller.ConnectAsync(server.Port, await server.AnswerAsync(caller.Offer, echoes, cancellationToken), cancellationToken);
        return caller;
    }

    private static async Task<Latency> ProbeAsync(Prober prober, TimeSpan duration, CancellationToken cancellationToken)
    {
        prober.Start();
        await Task.Delay(duration, cancellationToken);
        prober.Stop();
        return Latency.Of(prober);
    }

    /// <summary>First the server, then, while it is halted, the bare side.</summary>
    private static async Task<Round> MeasureAsync(
        MediaServerProcess server, Callers callers, Prober prober, BareSide bare, TimeSpan duration, CancellationToken cancellationToken)
    {
        callers.Start();
        await Task.Delay(Settle, cancellationToken);
        var (before, received) = (await server.MarkAsync(cancellationToken), callers.Received);
        var latency = await ProbeAsync(prober, duration, cancellationToken);
        var spent = await server.MarkAsync(cancellationToken) - before;
        received = callers.Received - received;
        callers.Stop();
        server.Halt();
        try
        {
            List<double> codec = [], socket = [];
            for (var i = 0; i < 3; i++)
            {
                codec.Add(bare.MeasureCodec());
                socket.Add(bare.MeasureSocket());
            }
            return new Round(bare.Streams, spent, received, duration.TotalSeconds, LoadReport.At(codec, 0.5)!.Value, LoadReport.At(socket, 0.5)!.Value, latency);
        }
        finally
        {
            server.Resume();
        }
    }

    private static int Judge(List<Round> rounds, Latency alone)
    {
        double Median(Func<Round, double> of) => LoadReport.At([.. rounds.Select(of)], 0.5)!.Value;
        var (ratio, bytes) = (Median(round => round.Ratio), rounds.Min(round => round.BytesPerPacket));
        var loaded = new Latency([.. rounds.SelectMany(round => round.Latency.Call)], [.. rounds.SelectMany(round => round.Latency.Bare)]);
        var callMs = Median(round => round.Server) * FramesPerSecond / 1000;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""

            | median of {rounds.Count} rounds | | target |
            |---|---|---|
            | CPU of the server for a second of a call | {callMs:0.00} ms | |
            | calls per core | {1000 / callMs:0} | |
            | to bare Opus and SRTP ({Median(round => round.Bare) * FramesPerSecond / 1000:0.00} ms) | {ratio:0.00} | {MostRatio:0.0} |
            | to these and a bare socket ({Median(round => round.Socket) * FramesPerSecond / 1000:0.00} ms) | {Median(round => round.Server / (round.Bare + round.Socket)):0.00} | |
            | bytes allocated per packet, least of the rounds | {bytes:0.00} | {MostBytesPerPacket:0.0} |
            | packet in to frame out, one call | {alone.Text} | p99 {MostLatencyMs:0} ms |
            | packet in to frame out, amid the calls | {loaded.Text} | |

            {Scenario.Machine()}
            """));
        return ratio <= MostRatio && bytes <= MostBytesPerPacket && alone.IsWithin ? 0 : CliException.CallFailed;
    }

    /// <param name="Call">Milliseconds of each packet there and back, as are those of <paramref name="Bare"/> datagrams.</param>
    private sealed record Latency(List<double> Call, List<double> Bare)
    {
        public string Text => $"p50 {At(Call, 0.5)}, p90 {At(Call, 0.9)}, p99 {At(Call, 0.99)} ms of {Call.Count}; a bare datagram {At(Bare, 0.5)}, {At(Bare, 0.9)}, {At(Bare, 0.99)} ms";

        /// <summary>Where even bare datagrams are slow the machine is too busy to tell.</summary>
        public bool IsWithin => LoadReport.At(Call, 0.99) <= MostLatencyMs || LoadReport.At(Bare, 0.99) > MostBareLatencyMs;

        public static Latency Of(Prober prober) => new([.. prober.Milliseconds], [.. prober.BareMilliseconds]);

        private static string At(List<double> values, double quantile) => string.Create(CultureInfo.InvariantCulture, $"{LoadReport.At(values, quantile):0.00}");
    }

    /// <param name="Received">Packets that came to the callers.</param>
    /// <param name="Bare">µs of a frame both ways, as is <paramref name="Socket"/>.</param>
    private sealed record Round(int Calls, ServerMark Spent, long Received, double Seconds, double Bare, double Socket, Latency Latency)
    {
        /// <summary>CPU time in µs of 20 ms of a call: one packet in, one out.</summary>
        public double Server => Spent.CpuMs * 1000 / ((Spent.PacketsIn + Spent.PacketsOut) / 2.0);

        public double Ratio => Server / Bare;

        public double BytesPerPacket => (double)Spent.Allocated / (Spent.PacketsIn + Spent.PacketsOut);

        public bool IsWhole => Share(Spent.PacketsOut - Latency.Call.Count) >= WholeShare;

        public string Row(int number)
        {
            var probes = Latency.Call.Count;
            return string.Create(CultureInfo.InvariantCulture,
                $"| {number}{(IsWhole ? "" : ", does not count")} | {Server:0.0} | {Bare:0.0} | {Ratio:0.00} | {Socket:0.0} | {BytesPerPacket:0.00} | {Share(Spent.PacketsIn - probes):0.0}, {Share(Spent.PacketsOut - probes):0.0}, {Share(Received):0.0} | {Share(Spent.Heard):0.0} |");
        }

        /// <summary>Of 100 that are due.</summary>
        private double Share(long count) => count / (Calls * Seconds * FramesPerSecond) * 100;
    }
}
