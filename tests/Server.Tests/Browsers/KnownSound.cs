using VoiceGrains.Media;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>
/// Steady noise in the band of speech, always the same. Each fiftieth of a second of it is like no other, so that whatever is left out, put in or replaced on its
/// way shows; and no codec, canceller or concealment makes anything of it that was not there, as they do of tones.
/// </summary>
internal static class KnownSound
{
    public const int RateHz = 16_000;
    private const int Seed = 1;
    private const double Rms = 4_600;           // -17 dBFS, as people speak
    private const double LowestHz = 200, HighestHz = 1_000;      // a codec takes some of the level of noise, the more the wider it is
    private const double Quiet = 300;           // peak; codecs' own noise is far below
    private const double Alike = 0.5;           // of the sound with itself through a codec it is 0.95, with anything else 0.2
    private const double Half = 0.5;
    private const double QuietDb = 20;          // below the sound's level nobody takes it for sound
    private const int Window = RateHz / 50, Hop = RateHz / 200, Near = RateHz / 1_000, Far = RateHz * 3 / 10, FarWindow = 3 * Window;

    public static short[] Create(double seconds)
    {
        var random = new Random(Seed);
        var noise = new double[(int)(seconds * RateHz)];
        for (var i = 0; i < noise.Length; i++) noise[i] = 2 * random.NextDouble() - 1;
        for (var i = 0; i < 2; i++)
        {
            Filter(noise, LowestHz, isHighPass: true);
            Filter(noise, HighestHz, isHighPass: false);
        }
        var gain = Rms / Math.Sqrt(noise.Average(sample => sample * sample));
        return [.. noise.Select(sample => (short)Math.Clamp(gain * sample, short.MinValue, short.MaxValue))];
    }

    /// <summary>What became of the sound in a recording; its longest stretch of sound is taken for it.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static SoundReport Find(ReadOnlySpan<short> recording, ReadOnlySpan<short> sound)
    {
        var (start, end) = LongestStretch(recording);
        // What was played a little earlier than the first loud sample, and a little after the last one, is part of it.
        var from = Math.Max(0, start - Window);
        var heard = recording[from..Math.Min(recording.Length, end + Window)];
        var (levels, gap, longestGap, jump) = (new List<double>(), 0, 0, 0);
        int? shift = null;
        for (var at = 0; at + FarWindow <= sound.Length; at += Hop)
        {
            var (likeness, found) = Search(sound.Slice(at, Window), heard, at + (shift ?? 0), shift is null ? 0 : Near);
            if (likeness < Alike && (shift is null || gap % 4 == 1))
            {
                var (farLikeness, far) = Search(sound.Slice(at, FarWindow), heard, at + (shift ?? 0), Far);
                if (farLikeness > Alike) (likeness, found) = (farLikeness, far);
            }
            var there = heard.Slice(found, Window);
            if (likeness < Alike || Presence(sound.Slice(at, Window), there) < Half)
            {
                longestGap = Math.Max(longestGap, ++gap);
                continue;
            }
            gap = 0;
            jump = Math.Max(jump, Math.Abs(found - at - (shift ?? found - at)));
            shift = found - at;
            if (likeness > 0.8) levels.Add(Pcm.Dbfs(there) - Pcm.Dbfs(sound.Slice(at, Window)));
        }
        levels.Sort();
        return new SoundReport(
            At: (double)start / RateHz, Seconds: (double)(end - start) / RateHz, LevelDb: levels.Count == 0 ? double.NaN : levels[levels.Count / 2],
            LongestSilenceMs: LongestSilence(heard[(start - from)..^Window], Pcm.Dbfs(sound) - QuietDb), LongestGapMs: 1_000.0 * longestGap * Hop / RateHz, LargestJumpMs: 1_000.0 * jump / RateHz, Followed: levels.Count * Hop / (double)sound.Length);
    }

    /// <summary>A second-order Butterworth filter (R. Bristow-Johnson's Audio EQ Cookbook).</summary>
    private static void Filter(double[] samples, double hz, bool isHighPass)
    {
        var omega = 2 * Math.PI * hz / RateHz;
        var (cos, alpha) = (Math.Cos(omega), Math.Sin(omega) / Math.Sqrt(2));
        var b1 = isHighPass ? -(1 + cos) : 1 - cos;
        var b0 = Math.Abs(b1) / 2;
        var (a0, a1, a2) = (1 + alpha, -2 * cos, 1 - alpha);
        double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
        for (var i = 0; i < samples.Length; i++)
        {
            var x = samples[i];
            var y = (b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2) / a0;
            (x1, x2, y1, y2) = (x, x1, y, y1);
            samples[i] = y;
        }
    }

    /// <summary>From a first sound to the last one before half a second without any.</summary>
    private static (int Start, int End) LongestStretch(ReadOnlySpan<short> recording)
    {
        var (best, start, last) = ((Start: 0, End: 0), -1, 0);
        for (var at = 0; at < recording.Length; at++)
        {
            if (Math.Abs((int)recording[at]) < Quiet) continue;
            if (start < 0 || at - last > RateHz / 2) start = at;
            last = at;
            if (last - start > best.End - best.Start) best = (start, last + 1);
        }
        return best.End - best.Start > RateHz / 2 ? best : throw new InvalidDataException("There is no sound.");
    }

    /// <summary>ms; a millisecond at a time, each with the three after it.</summary>
    private static int LongestSilence(ReadOnlySpan<short> heard, double leastDb)
    {
        const int Step = RateHz / 1_000, Around = 4;
        var (longest, run) = (0, 0);
        for (var at = 0; at + Around * Step <= heard.Length; at += Step)
        {
            run = Pcm.Dbfs(heard.Slice(at, Around * Step)) < leastDb ? run + 1 : 0;
            if (run > longest) longest = run;
        }
        return longest == 0 ? 0 : longest + Around - 1;
    }

    private static (double Likeness, int At) Search(ReadOnlySpan<short> piece, ReadOnlySpan<short> heard, int guess, int reach)
    {
        var best = (Likeness: -1.0, At: Math.Clamp(guess, 0, heard.Length - piece.Length));
        for (var at = Math.Max(0, guess - reach); at <= Math.Min(guess + reach, heard.Length - piece.Length); at++)
        {
            var likeness = Likeness(piece, heard.Slice(at, piece.Length));
            if (likeness > best.Likeness) best = (likeness, at);
        }
        return best;
    }

    /// <summary>How much of the sound is there: in a stretch that is silent in part, or is something else, as much as the rest of it; about 1 at its own level.</summary>
    private static double Presence(ReadOnlySpan<short> sound, ReadOnlySpan<short> heard)
    {
        var (product, energyOfSound, energyOfHeard) = Correlate(sound, heard);
        return (double)product / Math.Max(energyOfSound, energyOfHeard);
    }

    private static double Likeness(ReadOnlySpan<short> one, ReadOnlySpan<short> other)
    {
        var (product, energyOfOne, energyOfOther) = Correlate(one, other);
        return product / Math.Sqrt((double)energyOfOne * energyOfOther);
    }

    private static (long Product, long EnergyOfOne, long EnergyOfOther) Correlate(ReadOnlySpan<short> one, ReadOnlySpan<short> other)
    {
        long product = 0, energyOfOne = 1, energyOfOther = 1;
        for (var i = 0; i < one.Length; i++)
        {
            product += one[i] * other[i];
            energyOfOne += one[i] * one[i];
            energyOfOther += other[i] * other[i];
        }
        return (product, energyOfOne, energyOfOther);
    }
}

/// <summary>What became of a known sound.</summary>
/// <param name="At">Where it was found, s.</param>
/// <param name="Seconds">How long it lasted.</param>
/// <param name="LevelDb">How much louder it was, where it was itself.</param>
/// <param name="LongestSilenceMs">The longest stretch without any sound.</param>
/// <param name="LongestGapMs">The longest stretch where it was not to be heard: silence, or something else.</param>
/// <param name="LargestJumpMs">What was left out or put in at most in one place.</param>
/// <param name="Followed">Share of it that was itself.</param>
internal sealed record SoundReport(double At, double Seconds, double LevelDb, double LongestSilenceMs, double LongestGapMs, double LargestJumpMs, double Followed);
