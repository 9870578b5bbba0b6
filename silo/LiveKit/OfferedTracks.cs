namespace VoiceGrains.Silo.LiveKit;

/// <summary>
/// The tracks that an offer sends: the second token of <c>a=msid</c> in sections with <c>sendonly</c> or <c>sendrecv</c> (RFC 8830), which is what clients call
/// <c>cid</c>. There is no other word of a track that is not published any more.
/// </summary>
internal static class OfferedTracks
{
    /// <param name="sdp">From anybody. What cannot be read is no track.</param>
    public static HashSet<string> Read(string sdp)
    {
        var tracks = new HashSet<string>(StringComparer.Ordinal);
        string? track = null;
        var (isMedia, sends) = (false, true);
        foreach (var raw in sdp.AsSpan().EnumerateLines())
        {
            var line = raw.Trim();
            if (line.StartsWith("m=", StringComparison.Ordinal))
            {
                Add();
                (isMedia, sends, track) = (true, true, null);
            }
            else if (isMedia && line.StartsWith("a=msid:", StringComparison.Ordinal)) track = SecondToken(line["a=msid:".Length..]);
            else if (isMedia && line is "a=recvonly" or "a=inactive") sends = false;
        }
        Add();
        return tracks;

        void Add()
        {
            if (isMedia && sends && track is not null) tracks.Add(track);
        }
    }

    private static string? SecondToken(ReadOnlySpan<char> value)
    {
        var space = value.IndexOf(' ');
        return space > 0 && space + 1 < value.Length ? value[(space + 1)..].Trim().ToString() : null;
    }
}
