using System.Diagnostics;
using System.Globalization;

namespace VoiceGrains.Tests.Shared;

/// <summary>How long a fuzz test runs: some thousands of cases, or the VOICEGRAINS_FUZZ_SECONDS of a run of its own.</summary>
internal static class FuzzTime
{
    private const int ShortRun = 5_000;

    /// <summary>Numbers of the cases to try; each is its seed, so that a find can be tried again.</summary>
    /// <param name="shortRun">How many make a short run.</param>
    public static IEnumerable<int> Cases(int shortRun = ShortRun)
    {
        var isLong = double.TryParse(Environment.GetEnvironmentVariable("VOICEGRAINS_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out var seconds);
        var start = Stopwatch.GetTimestamp();
        for (var seed = 0; isLong ? Stopwatch.GetElapsedTime(start).TotalSeconds < seconds : seed < shortRun; seed++)
            yield return seed;
    }

    /// <summary>A changed copy, and now and then nothing but noise.</summary>
    public static byte[] MutateOrReplace(Random random, byte[] original)
    {
        if (random.Next(20) > 0) return Mutate(random, original);
        var noise = new byte[random.Next(200)];
        random.NextBytes(noise);
        return noise;
    }

    /// <summary>A changed copy: bits flipped, bytes replaced, parts cut out, repeated or put in.</summary>
    public static byte[] Mutate(Random random, byte[] original)
    {
        var bytes = new List<byte>(original);
        for (var changes = random.Next(1, 8); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count + 1);
            var count = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0 when count > 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when count > 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2 when count > 0:
                    bytes[at] = (byte)(random.Next(2) == 0 ? 0 : 255);
                    break;
                case 3:
                    bytes.RemoveRange(at, count);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
                default:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
            }
        }
        return [.. bytes];
    }
}
