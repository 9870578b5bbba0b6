namespace VoiceGrains.Silo.LiveKit;

/// <summary>
/// The audio tracks that an offer sends: sections with <c>sendonly</c> or <c>sendrecv</c>. There is no other word of a track that is not published any more.
/// </summary>
internal static class OfferedTracks
{
    /// <param name="sdp">From anybody. What cannot be read is no track.</param>
    public static IReadOnlyList<OfferedTrack> Read(string sdp)
    {
        var tracks = new List<OfferedTrack>();
        var (mid, track, sends) = ("", (string?)null, false);
        foreach (var raw in sdp.AsSpan().EnumerateLines())
        {
            var line = raw.Trim();
            if (line.StartsWith("m=", StringComparison.Ordinal))
            {
                Add();
                (mid, track, sends) = ("", null, line.StartsWith("m=audio ", StringComparison.Ordinal));
            }
            else if (line.StartsWith("a=mid:", StringComparison.Ordinal)) mid = line["a=mid:".Length..].ToString();
            else if (line.StartsWith("a=msid:", StringComparison.Ordinal)) track = SecondToken(line["a=msid:".Length..]);
            else if (line is "a=recvonly" or "a=inactive") sends = false;
        }
        Add();
        return tracks;

        void Add()
        {
            if (sends) tracks.Add(new OfferedTrack(mid, track));
        }
    }

    /// <summary>
    /// The track that a client publishes as <paramref name="cid"/>. Browsers may give a track another id in the offer than it had when it was announced; then it is
    /// the first one, for no client publishes two.
    /// </summary>
    public static OfferedTrack? Find(IReadOnlyList<OfferedTrack> tracks, string cid) => tracks.FirstOrDefault(track => track.Id == cid) ?? tracks.FirstOrDefault();

    private static string? SecondToken(ReadOnlySpan<char> value)
    {
        var space = value.IndexOf(' ');
        return space > 0 && space + 1 < value.Length ? value[(space + 1)..].Trim().ToString() : null;
    }
}

/// <summary>A track of an offer.</summary>
/// <param name="Mid">Of its section.</param>
/// <param name="Id">The second token of <c>a=msid</c> (RFC 8830); null without one.</param>
internal sealed record OfferedTrack(string Mid, string? Id);
