namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>Compares both sides of a call, as somebody else heard them at 16 kHz, with what its client sent and played itself.</summary>
internal static class HeardSound
{
    private const int RateHz = 16_000;
    private const int PieceLength = 2_000;

    /// <summary>Each side is where it was heard. Mixed sound is given as both.</summary>
    /// <param name="speaking">The agent began; the user interrupted it at <paramref name="clear"/>; at <paramref name="second"/> it answered.</param>
    /// <param name="played">By the client's speaker.</param>
    /// <param name="user">Into its microphone.</param>
    public static void Check(LiveCall call, short[] left, short[] right, Received speaking, Received clear, Received second, short[] played, short[] user)
    {
        double? Offset(short[] track, short[] sound, double at, double guess) => guess - Find(track, sound, at, guess - call.ConnectedAt);

        // The agent's two utterances are where the client's speaker played them, on a clock that starts with the connection.
        double[] times = [.. Loudest(played, speaking.At + 0.1, clear.At - 0.2), .. Loudest(played, second.At + 0.1, second.At + 0.9)];
        var agent = times.Select(at => Offset(right, played, at, at)).OfType<double>().ToList();
        Assert.InRange(agent.Count, times.Length * 2 / 3, times.Length);
        var zero = Median(agent);
        Assert.InRange(zero - call.ConnectedAt, -0.1, 0.1);
        Assert.All(agent, offset => Assert.InRange(offset - zero, -0.08, 0.08));

        // The user is where they spoke; a message of 20 ms comes when it is over.
        var saidAt = call.Messages.First(m => m.Type == "said").At;
        var words = ((double[])[0.1, 0.5, 1]).Select(at => Offset(left, user, at, saidAt + at) - zero).OfType<double>().ToList();
        Assert.InRange(words.Count, 2, 3);
        Assert.InRange(Median(words), -0.1, 0.06);

        if (left == right) return;      // mixed: there the user goes on

        // The agent is cut off when the client was told to.
        var cut = (int)((clear.At - zero) * RateHz);
        Assert.Contains(right[(cut - RateHz / 2)..cut], sample => Math.Abs((int)sample) > 300);
        var rest = right[(cut + RateHz / 10)..(cut + RateHz)];
        Assert.True(rest.All(sample => Math.Abs((int)sample) < 100), $"There was sound {Array.FindLastIndex(rest, s => Math.Abs((int)s) >= 100) / (double)RateHz:0.000} s later.");
    }

    /// <summary>Where in a track, in seconds, a piece of a sound is; null where nothing is alike.</summary>
    /// <param name="at">The piece's place in the sound.</param>
    /// <param name="guess">Its place in the track, to 0.4 s.</param>
    private static double? Find(short[] track, short[] sound, double at, double guess)
    {
        var piece = sound.AsSpan((int)(at * RateHz), PieceLength);
        var energy = Energy(piece);
        Assert.True(energy / PieceLength > 10_000, $"There is nothing to compare at {at:0.00} s.");
        var (likeness, found) = (0.0, 0);
        for (var i = Math.Max(0, (int)((guess - 0.4) * RateHz)); i < Math.Min(track.Length - PieceLength, (guess + 0.4) * RateHz); i++)
        {
            var there = track.AsSpan(i, PieceLength);
            var sum = 0.0;
            for (var k = 0; k < PieceLength; k++) sum += (double)piece[k] * there[k];
            var like = sum / Math.Sqrt(energy * Energy(there) + 1);
            if (like > likeness) (likeness, found) = (like, i);
        }
        return likeness > 0.75 ? found / (double)RateHz : null;
    }

    /// <summary>The three loudest of the pieces that begin each tenth of a second.</summary>
    private static IEnumerable<double> Loudest(short[] sound, double from, double to)
        => Enumerable.Range(0, (int)((Math.Min(to, (double)(sound.Length - PieceLength) / RateHz) - from) * 10)).Select(i => from + i / 10.0)
            .OrderByDescending(at => Energy(sound.AsSpan((int)(at * RateHz), PieceLength))).Take(3);

    private static double Median(IEnumerable<double> values) => values.Order().ToList() is var sorted ? sorted[sorted.Count / 2] : 0;

    private static double Energy(ReadOnlySpan<short> pcm)
    {
        var sum = 0.0;
        foreach (var sample in pcm) sum += (double)sample * sample;
        return sum;
    }
}
