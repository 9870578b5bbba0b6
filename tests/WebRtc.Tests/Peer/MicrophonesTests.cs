using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Sdp;
using VoiceGrains.WebRtc.Tests.Sdp;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>Which packets are the microphone's.</summary>
public sealed class MicrophonesTests
{
    private const uint Offered = 2759902633;    // the source in the offer
    private static readonly byte[] Payload = [0xF8, 1, 2];

    private readonly RecordingSink _sink = new();
    private readonly Microphones _microphones = new(TimeProvider.System);

    [Fact]
    public void APacketOfTheOfferedSource_IsHandedOnWithItsTrackAndLevel()
    {
        Negotiate("chromium-sendonly-first");
        Receive(Packet(Offered, 111, sequence: 7, timestamp: 960, id: 1, value: [0x80 | 42]));

        var (track, sequence, timestamp, opus, level) = Assert.Single(_sink.Audio);
        Assert.Equal(new RemoteTrack("0", "2c092334-c3e3-4272-9100-877b1ba92ad3", "b7a7842b-92e1-4a57-9c00-12490a98850d", Offered), track);
        Assert.Equal(((ushort)7, 960u, (byte?)42), (sequence, timestamp, level));
        Assert.Equal(Payload, opus);
        Assert.Equal((1, 3, 0), (_microphones.Packets, _microphones.Bytes, _microphones.Unrouted));
    }

    [Fact]
    public void APacketThatCarriesTheMid_MakesItsSourceKnown()
    {
        Negotiate("chromium-sendonly-first");
        Receive(Packet(5, 111, id: 4, value: "0"u8));
        Receive(Packet(5, 111));
        Receive(Packet(6, 111, id: 4, value: "0"u8));

        Assert.Equal([5u, 5u, 6u], _sink.Audio.Select(audio => audio.Track.Ssrc));
        Assert.Equal(2, _sink.Audio.Select(audio => audio.Track).Distinct(ReferenceEqualityComparer.Instance).Count());
        Assert.Equal(6u, _microphones.FindStream(6)?.Track.Ssrc);
        Assert.Null(_microphones.FindStream(5));
    }

    [Theory]
    [InlineData(9, 111, 0, "")]         // a source that nobody told of
    [InlineData(9, 111, 4, "1")]        // the mid of the agent's section
    [InlineData(9, 111, 4, "0000")]
    [InlineData(9, 111, 3, "0")]        // another extension
    [InlineData(Offered, 63, 0, "")]    // RED, which the answer does not take
    [InlineData(Offered, 0, 0, "")]
    public void AnyOtherPacket_IsDroppedAndCounted(uint ssrc, byte payloadType, int id, string value)
    {
        Negotiate("chromium-sendonly-first");
        Receive(Packet(ssrc, payloadType, id: id, value: System.Text.Encoding.ASCII.GetBytes(value)));
        Receive([0x80, 111, 0]);

        Assert.Empty(_sink.Audio);
        Assert.Equal((0, 2), (_microphones.Packets, _microphones.Unrouted));
    }

    [Fact]
    public void WithoutSourcesAndMids_TheOnlySectionTakesAll()
    {
        var text = string.Concat(SdpOffers.Read("chromium-sendonly-first").Split("\r\n").Where(line => !line.StartsWith("a=ssrc:") && !line.StartsWith("a=extmap:4")).Select(line => line + "\r\n"));
        _microphones.Negotiate(Negotiation.Decide(SdpParser.Parse(text.TrimEnd() + "\r\n"), null, 1));
        Receive(Packet(77, 111));
        Receive(Packet(77, 110));

        Assert.Equal(77u, Assert.Single(_sink.Audio).Track.Ssrc);
    }

    [Fact]
    public void SeveralMicrophones_AreKeptApart()
    {
        var offer = SdpParser.Parse(SdpOffers.Read("chromium-simulcast-five-tracks"));
        var sources = offer.Media.Where(section => section is { Kind: SdpMediaKind.Audio, ClientSends: true }).Select(section => section.Ssrcs[0]).ToList();
        _microphones.Negotiate(Negotiation.Decide(offer, null, 3));
        foreach (var ssrc in sources)
            Receive(Packet(ssrc, 111));

        Assert.Equal(["2", "3", "4"], _sink.Audio.Select(audio => audio.Track.Mid));
        Assert.Equal(2, _microphones.Unrouted);
    }

    [Fact]
    public void ALaterOffer_KeepsTheStreamThatGoesOn()
    {
        Negotiate("chromium-sendonly-first");
        Receive(Packet(5, 111, id: 4, value: "0"u8));
        Negotiate("chromium-sendonly-first");
        Receive(Packet(5, 111));

        Assert.Single(_sink.Audio.Select(audio => audio.Track).Distinct(ReferenceEqualityComparer.Instance));
        Negotiate("chromium-data-only");
        Receive(Packet(5, 111));
        Assert.Equal(2, _sink.Audio.Count);
    }

    [Fact]
    public void AnEmptyPacket_CountsButIsNoAudio()
    {
        Negotiate("chromium-sendonly-first");
        Receive(Packet(Offered, 111)[..RtpHeader.Bytes]);

        Assert.Empty(_sink.Audio);
        Assert.Equal(1, _microphones.Packets);
    }

    [Fact]
    public void RoutingAllocatesNothing()
    {
        Negotiate("chromium-sendonly-first");
        var sink = new SilentSink();
        var packet = Packet(Offered, 111, id: 1, value: [10]);
        _microphones.OnRtp(packet, sink);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            _microphones.OnRtp(packet, sink);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private void Negotiate(string offer) => _microphones.Negotiate(Negotiation.Decide(SdpParser.Parse(SdpOffers.Read(offer)), null, 1));

    private void Receive(byte[] packet) => _microphones.OnRtp(packet, _sink);

    private static byte[] Packet(uint ssrc, byte payloadType, ushort sequence = 1, uint timestamp = 0, int id = 0, ReadOnlySpan<byte> value = default)
    {
        var buffer = new byte[64];
        var header = new RtpHeader(payloadType, false, sequence, timestamp, ssrc);
        var length = id == 0 ? header.Write(buffer) : header.Write(buffer, id, value);
        Payload.CopyTo(buffer, length);
        return buffer[..(length + Payload.Length)];
    }

    private sealed class SilentSink : IPeerSink
    {
        public void OnStateChanged(PeerState state)
        {
        }

        public void OnAudio(ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel)
        {
        }

        public void OnData(string label, ReadOnlySpan<byte> message)
        {
        }
    }
}
