using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Sdp;

namespace VoiceGrains.WebRtc;

/// <summary>
/// Finds the section that a packet belongs to (RFC 9143 §9.2): by its source, when that was offered or has been seen; else by the mid that it carries; else there
/// must be only one section, and that one without either. A packet of a source that nobody told of is dropped. Packets come from the receive loop; offers may be applied on another thread.
/// </summary>
internal sealed class Microphones(TimeProvider clock)
{
    private volatile Microphone[] _all = [];
    private long _packets;
    private long _bytes;
    private long _unrouted;
    private long _recovered;

    public long Packets => Interlocked.Read(ref _packets);
    public long Bytes => Interlocked.Read(ref _bytes);
    public long Unrouted => Interlocked.Read(ref _unrouted);

    /// <summary>Packets that did not arrive, of the sections that may send now.</summary>
    public long Lost
    {
        get
        {
            var lost = 0L;
            foreach (var microphone in _all)
                lost += microphone.Lost;
            return lost;
        }
    }

    /// <summary>Packets that came after they had been asked for again.</summary>
    public long Recovered => Interlocked.Read(ref _recovered);
    public IReadOnlyList<Microphone> All => _all;

    /// <summary>Takes the sections that may send now. What is known of a section that goes on stays.</summary>
    public void Negotiate(Negotiation negotiation)
    {
        var former = _all;
        _all = [.. negotiation.Microphones.Select(section =>
        {
            var known = Array.Find(former, microphone => microphone.Mid == section.Offered.Mid) ?? new Microphone(section.Offered.Mid!, clock);
            known.Negotiate(section);
            return known;
        })];
    }

    /// <returns>The stream that it is a packet of; null when it was dropped.</returns>
    public ReceivedStream? OnRtp(ReadOnlySpan<byte> datagram, IPeerSink sink)
    {
        if (!RtpPacket.TryRead(datagram, out var packet) || Find(in packet) is not { } microphone || !microphone.Takes(packet.PayloadType))
        {
            Interlocked.Increment(ref _unrouted);
            return null;
        }
        Interlocked.Increment(ref _packets);
        Interlocked.Add(ref _bytes, packet.Payload.Length);
        var stream = microphone.Follow(packet.Ssrc);
        stream.Statistics.OnPacket(packet.Sequence, packet.Timestamp);
        if (microphone.HasNack && stream.Losses.OnPacket(packet.Sequence, packet.Timestamp))
            Interlocked.Increment(ref _recovered);
        if (!packet.Payload.IsEmpty)
            sink.OnAudio(stream.Track, packet.Sequence, packet.Timestamp, packet.Payload, microphone.AudioLevel(in packet));
        return stream;
    }

    /// <summary>The stream of a source; null when none is received from it.</summary>
    public ReceivedStream? FindStream(uint ssrc)
    {
        foreach (var microphone in _all)
            if (microphone.Stream is { } stream && stream.Track.Ssrc == ssrc)
                return stream;
        return null;
    }

    private Microphone? Find(in RtpPacket packet)
    {
        var all = _all;
        foreach (var microphone in all)
            if (microphone.Owns(packet.Ssrc))
                return microphone;
        foreach (var microphone in all)
            if (microphone.IsNamedBy(in packet))
                return microphone;
        return all is [{ IsAnonymous: true } only] ? only : null;
    }
}
