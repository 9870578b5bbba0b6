namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>
/// What a client's speaker plays: sound is buffered as it arrives, played in real time, and dropped on a clear. Times are seconds since the join.
/// </summary>
internal sealed class PlayedSound(int rateHz)
{
    private readonly List<(double Start, short[] Pcm)> parts = [];
    private readonly List<double> leads = [];
    private double end;

    /// <summary>Seconds of sound that each message left in the buffer, with itself.</summary>
    public IReadOnlyList<double> Leads => leads;

    /// <summary>When the buffer runs dry.</summary>
    public double End => end;

    /// <summary>Everything that was or will be played, each sample at its time.</summary>
    public short[] Track
    {
        get
        {
            var track = new short[(int)Math.Ceiling(end * rateHz) + 1];
            foreach (var (start, pcm) in parts) pcm.CopyTo(track.AsSpan((int)(start * rateHz)));
            return track;
        }
    }

    public void Add(double now, short[] pcm)
    {
        var start = Math.Max(now, end);
        parts.Add((start, pcm));
        end = start + (double)pcm.Length / rateHz;
        leads.Add(end - now);
    }

    public void Clear(double now)
    {
        for (var i = parts.Count - 1; i >= 0 && parts[i].Start + (double)parts[i].Pcm.Length / rateHz > now; i--)
        {
            if (parts[i].Start >= now) parts.RemoveAt(i);
            else parts[i] = (parts[i].Start, parts[i].Pcm[..(int)((now - parts[i].Start) * rateHz)]);
        }
        end = Math.Min(end, now);
    }

    /// <summary>Seconds of sound played between two times.</summary>
    public double SecondsPlayed(double from, double to)
        => parts.Sum(part => Math.Max(0, Math.Min(to, part.Start + (double)part.Pcm.Length / rateHz) - Math.Max(from, part.Start)));
}
