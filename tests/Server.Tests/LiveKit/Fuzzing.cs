using System.Diagnostics;
using System.Globalization;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>Short in the usual run; as many seconds as <c>VOICEGRAINS_FUZZ_SECONDS</c> says otherwise.</summary>
internal static class Fuzzing
{
    public static void Run(TimeSpan usual, Action once)
    {
        var time = Environment.GetEnvironmentVariable("VOICEGRAINS_FUZZ_SECONDS") is { Length: > 0 } seconds ? TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) : usual;
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < time;) once();
    }

    /// <summary>A few bytes changed, cut off, repeated or put in; now and then nothing but noise.</summary>
    public static byte[] Mutate(byte[] good, Random random)
    {
        if (random.Next(20) == 0)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            return noise;
        }
        var bytes = good.ToList();
        for (var changes = random.Next(1, 6); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveRange(at, random.Next(Math.Min(8, bytes.Count - at) + 1)); break;
                case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(16, bytes.Count - at))); break;
            }
        }
        return [.. bytes];
    }
}
