using System.Text;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Sdp;

namespace VoiceGrains.WebRtc;

/// <summary>One section that the client sends audio in. Packets come from the receive loop; an offer may be applied on another thread meanwhile.</summary>
internal sealed class Microphone(string mid, TimeProvider clock)
{
    private readonly byte[] _mid = Encoding.UTF8.GetBytes(mid);
    private volatile Terms? _terms;
    private volatile ReceivedStream? _stream;
    private long _formerlyLost;

    public string Mid => mid;

    /// <summary>The stream that arrives; null before its first packet.</summary>
    public ReceivedStream? Stream => _stream;

    /// <summary>Packets of this section's streams that did not arrive; duplicates of the current one count against it.</summary>
    public long Lost => Interlocked.Read(ref _formerlyLost) + (_stream?.Statistics.Lost ?? 0);

    /// <summary>Whether lost packets may be asked for again.</summary>
    public bool HasNack => _terms!.HasNack;

    public void Negotiate(NegotiatedSection section)
    {
        var offered = section.Offered;
        _terms = new Terms(
            offered.Opus!.PayloadType, offered.ExtensionId(SdpExtension.Mid), offered.ExtensionId(SdpExtension.AudioLevel), [.. offered.Ssrcs], offered.Msid,
            section.HasNack);
    }

    public bool Owns(uint ssrc) => _stream?.Track.Ssrc == ssrc || _terms!.Ssrcs.AsSpan().Contains(ssrc);

    /// <summary>The offer names neither a source nor an extension for the mid.</summary>
    public bool IsAnonymous => _terms is { Ssrcs: [], MidExtension: null };

    /// <summary>Whether the packet carries this section's mid (RFC 9143 §15).</summary>
    public bool IsNamedBy(in RtpPacket packet)
        => _terms!.MidExtension is { } id && packet.TryGetExtension(id, out var value) && value.SequenceEqual(_mid);

    public bool Takes(byte payloadType) => payloadType == _terms!.PayloadType;

    /// <summary>The stream of a packet of this section: a new one where another source, or another track of the client, begins.</summary>
    public ReceivedStream Follow(uint ssrc)
    {
        var (stream, msid) = (_stream, _terms!.Msid);
        if (stream is not null && stream.Track.Ssrc == ssrc && stream.Track.StreamId == msid?.StreamId && stream.Track.TrackId == msid?.TrackId)
            return stream;
        Interlocked.Add(ref _formerlyLost, Math.Max(0, stream?.Statistics.Lost ?? 0));
        var track = new RemoteTrack(mid, msid?.StreamId, msid?.TrackId, ssrc);
        return _stream = new ReceivedStream(track, new RtpReceiverStatistics(ssrc, AudioSender.ClockRateHz, clock), new LossRequester(clock));
    }

    public byte? AudioLevel(in RtpPacket packet) => _terms!.LevelExtension is { } id && packet.TryGetAudioLevel(id, out var level, out _) ? level : null;

    /// <summary>What the latest offer says of the section.</summary>
    private sealed record Terms(byte PayloadType, byte? MidExtension, byte? LevelExtension, uint[] Ssrcs, SdpMsid? Msid, bool HasNack);
}

/// <summary>A stream that arrives, with what our reports say of it.</summary>
internal sealed record ReceivedStream(RemoteTrack Track, RtpReceiverStatistics Statistics, LossRequester Losses);
