using VoiceGrains.WebRtc.Sdp;

namespace VoiceGrains.WebRtc.Tests.Sdp;

public sealed class SdpParserTests
{
    /// <summary>The least that is an offer of one section.</summary>
    private const string Smallest = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
        + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";

    [Fact]
    public void Parse_OfChromium_ReadsTransportCodecsExtensionsAndTracks()
    {
        var offer = SdpParser.Parse(SdpOffers.Read("chromium-sendonly-first"));

        Assert.Equal(["0", "1", "2"], offer.Bundle);
        Assert.True(offer.AllowsMixedExtensions);
        Assert.False(offer.IsIceLite);
        Assert.Equal([SdpMediaKind.Audio, SdpMediaKind.Audio, SdpMediaKind.Application], offer.Media.Select(section => section.Kind));
        var microphone = offer.Media[0];
        Assert.Equal(("0", 59_454, "UDP/TLS/RTP/SAVPF", SdpDirection.SendOnly), (microphone.Mid, microphone.Port, microphone.Protocol, microphone.Direction));
        Assert.Equal(("tt2o", "tqioM9vuuzAH2+rt64GR46wN", SdpSetup.ActPass), (microphone.UsernameFragment, microphone.Password, microphone.Setup));
        Assert.Equal("sha-256 87:F3:AC:43:5A:E0:4A:F6:FA:EB:90:52:6D:7A:CA:F1:1C:29:64:83:F9:76:6A:5B:05:6E:84:46:18:88:05:AD", microphone.Fingerprint);
        Assert.Equal(new SdpMsid("2c092334-c3e3-4272-9100-877b1ba92ad3", "b7a7842b-92e1-4a57-9c00-12490a98850d"), microphone.Msid);
        Assert.Equal([2759902633], microphone.Ssrcs);
        Assert.Equal(((byte?)111, "opus/48000/2", "minptime=10;useinbandfec=1"), (microphone.Opus?.PayloadType, microphone.Opus?.Mapping, microphone.Opus?.Parameters));
        Assert.Equal([new SdpExtension(1, SdpDirection.SendReceive, SdpExtension.AudioLevel), new SdpExtension(4, SdpDirection.SendReceive, SdpExtension.Mid)],
            microphone.Extensions);
        Assert.True(microphone.IsRtcpMultiplexed && microphone.IsRtcpReducedSize && microphone.IsSecureRtp && microphone.ClientSends && !microphone.ClientReceives);
        Assert.Equal([new SdpCandidate("udp", 2122194687, "192.0.2.2", 59_454, "host"), new SdpCandidate("udp", 2122265343, "fd00::2", 45_862, "host"),
            new SdpCandidate("tcp", 1518214911, "192.0.2.2", 9, "host"), new SdpCandidate("tcp", 1518285567, "fd00::2", 9, "host")], microphone.Candidates);
        var data = offer.Media[2];
        Assert.True(data.IsDataChannel);
        Assert.Equal((5000, 262_144), (data.SctpPort, data.MaxMessageSize));
    }

    [Fact]
    public void Parse_OfFirefox_TakesTheCommonFingerprintAndKeepsBundleOnlySections()
    {
        var offer = SdpParser.Parse(SdpOffers.Read("firefox-2"));

        Assert.All(offer.Media, section => Assert.StartsWith("sha-256 70:FD:2A", section.Fingerprint));
        Assert.Equal([false, true, true, false, true, true, false, true], offer.Media.Select(section => section.IsBundleOnly));
        Assert.All(offer.Media, section => Assert.False(section.IsRejected));
        Assert.Equal((byte?)109, offer.Media[0].Opus?.PayloadType);
        Assert.Equal((byte)3, offer.Media[0].ExtensionId(SdpExtension.Mid));
        Assert.Equal("{b566a84b-8e9b-48f6-a0f1-122dbfebc90a}", offer.Media[7].Msid?.TrackId);
    }

    [Fact]
    public void Parse_OfAStoppedSection_SaysThatItIsRejected()
        => Assert.True(SdpParser.Parse(SdpOffers.Read("chromium-stopped")).Media[0].IsRejected);

    [Fact]
    public void Parse_SkipsHiddenAddresses()
    {
        var offer = SdpParser.Parse(Smallest + "a=candidate:1 1 udp 2113937151 0d5c119e-af2b-4c63-8a7a-c890441fb6e3.local 51000 typ host generation 0\r\n"
            + "a=candidate:2 1 udp 2113937151 192.0.2.9 51001 typ srflx raddr 0.0.0.0 rport 9\r\na=candidate:nonsense\r\n");

        Assert.Equal([new SdpCandidate("udp", 2113937151, "192.0.2.9", 51_001, "srflx")], offer.Media[0].Candidates);
    }

    [Fact]
    public void Parse_TakesLinesThatEndInLineFeedAlone() => Assert.Equal("0", SdpParser.Parse(Smallest.ReplaceLineEndings("\n")).Media[0].Mid);

    [Theory]
    [InlineData("", "The SDP is empty.")]
    [InlineData("o=- 1 1 IN IP4 0.0.0.0", "SDP line 1: must be v=0.")]
    [InlineData("v=0\nhello", "SDP line 2: is not of the form x=....")]
    [InlineData("v=0\na=mid:\u0001", "SDP line 2: a control character.")]
    [InlineData("v=0\na=group:BUNDLE 0\rm=audio 9 x 0", "SDP line 2: a control character.")]
    [InlineData("v=0\nm=audio", "SDP line 2: an m-line without a media word and a port.")]
    [InlineData("v=0\nm=audio 70000 UDP/TLS/RTP/SAVPF 0", "SDP line 2: an m-line without a media word and a port.")]
    [InlineData("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF", "SDP line 2: an m-line without a protocol and a format.")]
    [InlineData("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 128", "SDP line 2: a payload type that is not a number from 0 to 127.")]
    [InlineData("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF -1", "SDP line 2: a payload type that is not a number from 0 to 127.")]
    [InlineData("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:a b", "SDP line 3: a mid must be a token of 1 to 64 characters.")]
    [InlineData("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:1\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:1", "SDP line 5: a mid is used twice.")]
    [InlineData("v=0\na=ice-ufrag:abc", "SDP line 2: ice-ufrag must have 4 to 256 letters, digits, + or /.")]
    [InlineData("v=0\na=ice-pwd:short", "SDP line 2: ice-pwd must have 22 to 256 letters, digits, + or /.")]
    [InlineData("v=0\na=fingerprint:sha-256 00:11", "SDP line 2: a sha-256 fingerprint has 32 bytes.")]
    [InlineData("v=0\na=setup:holdconn", "SDP line 2: setup must be actpass, active or passive.")]
    [InlineData("v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=ssrc:4294967296 cname:x", "SDP line 3: ssrc needs a number of 32 bits.")]
    [InlineData("v=0\na=extmap:0 urn:x", "SDP line 2: extmap needs an id and a URI.")]
    [InlineData("v=0\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=sctp-port:99999", "SDP line 3: sctp-port must be a port number.")]
    [InlineData("v=0\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=max-message-size:-1", "SDP line 3: max-message-size must be a number of bytes.")]
    public void Parse_SaysWhatIsWrongAndWhere(string sdp, string message)
        => Assert.Equal(message, Assert.Throws<SdpException>(() => SdpParser.Parse(sdp)).Message);

    [Fact]
    public void Parse_RefusesMoreThanItsLimits()
    {
        Assert.Equal("The SDP is longer than 65536 characters.", Assert.Throws<SdpException>(() => SdpParser.Parse(new string('v', 65_537))).Message);
        var sections = string.Concat(Enumerable.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 0\n", 65));
        Assert.Equal("SDP line 66: more than 64 media sections.", Assert.Throws<SdpException>(() => SdpParser.Parse("v=0\n" + sections)).Message);
        var formats = string.Join(' ', Enumerable.Repeat("0", 129));
        Assert.Equal("SDP line 2: more than 128 formats in one section.",
            Assert.Throws<SdpException>(() => SdpParser.Parse($"v=0\nm=audio 9 UDP/TLS/RTP/SAVPF {formats}")).Message);
    }

    [Fact]
    public void Parse_KeepsNoMoreSsrcsAndCandidatesThanItsLimit()
    {
        var many = string.Concat(Enumerable.Range(1, 1000).Select(i => $"a=ssrc:{i} cname:x\na=candidate:1 1 udp {i} 192.0.2.1 9 typ host\n"));
        var section = SdpParser.Parse(Smallest + many).Media[0];
        Assert.Equal((128, 128), (section.Ssrcs.Count, section.Candidates.Count));
    }
}
