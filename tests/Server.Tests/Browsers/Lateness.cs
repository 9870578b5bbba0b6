using System.Diagnostics;
using VoiceGrains.Tests.Fakes.Network;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>How unevenly packets of a known sound came.</summary>
internal static class Lateness
{
    private const int ClockRateHz = 48_000;
    private const int MostQuietBytes = 90;          // of silence as Opus: 3 to 10, and 40 around it
    private const double PauseSeconds = 0.3;

    /// <summary>The slowest packet's delay against the fastest one's, while the sound was sent; the worst where that was more than once.</summary>
    public static TimeSpan OfSound(IEnumerable<CarriedPacket> packets, double soundSeconds)
    {
        var worst = TimeSpan.Zero;
        foreach (var stream in packets.GroupBy(packet => packet.Ssrc))
        {
            var first = stream.First();
            var all = stream.Select(packet => (packet.Bytes, At: (int)(packet.Timestamp - first.Timestamp) / (double)ClockRateHz, Came: Stopwatch.GetElapsedTime(first.At, packet.At).TotalSeconds))
                .OrderBy(packet => packet.At).ToList();
            foreach (var (from, to) in Loud(all.Where(packet => packet.Bytes > MostQuietBytes).Select(packet => packet.At)))
            {
                if (to - from < soundSeconds - 0.2) continue;
                var delays = all.Where(packet => packet.At >= from - PauseSeconds && packet.At <= to).Select(packet => packet.Came - packet.At).ToList();
                worst = TimeSpan.FromSeconds(Math.Max(worst.TotalSeconds, delays.Max() - delays.Min()));
            }
        }
        Assert.True(worst > TimeSpan.Zero, "The sound was not sent.");
        return worst;
    }

    private static IEnumerable<(double From, double To)> Loud(IEnumerable<double> times)
    {
        (double From, double To)? run = null;
        foreach (var at in times)
        {
            if (run is { } known && at - known.To > PauseSeconds)
            {
                yield return known;
                run = null;
            }
            run = (run?.From ?? at, at);
        }
        if (run is { } last) yield return last;
    }
}
