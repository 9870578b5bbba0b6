using System.CommandLine;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VoiceGrains.Media;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>
/// The server's process: the media path of a silo without the rest of it. Asked by lines: "call OFFER" and "echo OFFER" (base64) are answered by the answer,
/// "mark" by what was spent and done so far, as JSON. It ends with its input.
/// </summary>
internal static class MediaServer
{
    public const string Name = "webrtc-server";

    public static Command Command()
    {
        var command = new Command(Name, "The server's side of webrtc, which starts it.") { Hidden = true };
        command.SetAction((_, cancellationToken) => RunAsync(cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        using var pacer = new Pacer(new PacerOptions(), clock, NullLogger<Pacer>.Instance, meters);
        var options = Options.Create(new WebRtcOptions { Port = 0, Interfaces = ["lo"] });
        await using var peers = new WebRtcPeers(options, clock, NullLoggerFactory.Instance, meters, NullLogger<WebRtcPeers>.Instance);
        await peers.StartAsync(cancellationToken);
        using var echo = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        echo.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        new Thread(() => SendBack(echo)) { Name = "echo", IsBackground = true }.Start();
        Console.WriteLine($"{peers.Port} {((IPEndPoint)echo.LocalEndPoint!).Port}");

        var speech = new Speech();
        var metrics = new ReceiverMetrics(meters.Create("VoiceGrains.Rooms"));
        List<ServedCall> calls = [];
        List<EchoingCall> echoes = [];
        while (await Console.In.ReadLineAsync(cancellationToken) is { } line)
        {
            var (word, offer) = line.Split(' ') is [var first, var text] ? (first, Encoding.UTF8.GetString(Convert.FromBase64String(text))) : (line, "");
            if (word == "call") calls.Add(new ServedCall(peers, pacer, speech, metrics, clock));
            if (word == "echo") echoes.Add(new EchoingCall(peers));
            Console.WriteLine(word switch
            {
                "call" => Encode(calls[^1].Answer(offer)),
                "echo" => Encode(echoes[^1].Answer(offer)),
                _ => JsonSerializer.Serialize(ServerMark.Take(calls, echoes)),
            });
        }
        return 0;
    }

    /// <summary>Bare datagrams, to compare with.</summary>
    private static void SendBack(Socket socket)
    {
        var buffer = new byte[2_048];
        var sender = new SocketAddress(AddressFamily.InterNetwork);
        try
        {
            while (true) socket.SendTo(buffer.AsSpan(0, socket.ReceiveFrom(buffer, SocketFlags.None, sender)), SocketFlags.None, sender);
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // the end
        }
    }

    private static string Encode(string answer) => Convert.ToBase64String(Encoding.UTF8.GetBytes(answer));
}

/// <summary>What the server has spent and done since it began.</summary>
/// <param name="CpuMs">Of all its threads, the kernel's work for them included.</param>
/// <param name="Allocated">Managed bytes.</param>
/// <param name="Heard">Frames of 20 ms with sound in them that came out of jitter buffers.</param>
internal sealed record ServerMark(double CpuMs, long Allocated, long PacketsIn, long PacketsOut, long Heard)
{
    public static ServerMark Take(IReadOnlyCollection<ServedCall> calls, IReadOnlyCollection<EchoingCall> echoes)
    {
        var echoed = echoes.Sum(call => call.Packets);
        return new ServerMark(
            Environment.CpuUsage.TotalTime.TotalMilliseconds, GC.GetTotalAllocatedBytes(precise: true), calls.Sum(call => call.PacketsIn) + echoed,
            calls.Sum(call => call.PacketsOut) + echoed, calls.Sum(call => call.FramesHeard));
    }

    public static ServerMark operator -(ServerMark later, ServerMark earlier) => new(
        later.CpuMs - earlier.CpuMs, later.Allocated - earlier.Allocated, later.PacketsIn - earlier.PacketsIn, later.PacketsOut - earlier.PacketsOut,
        later.Heard - earlier.Heard);
}
