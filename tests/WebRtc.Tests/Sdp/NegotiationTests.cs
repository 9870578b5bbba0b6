using VoiceGrains.WebRtc.Sdp;

namespace VoiceGrains.WebRtc.Tests.Sdp;

/// <summary>What the answer to each recorded offer says, read back with the parser.</summary>
public sealed class NegotiationTests
{
    private static readonly LocalDescription Local = new()
    {
        SessionId = 4711,
        Version = 1,
        UsernameFragment = "local",
        Password = "localpasswordlocalpassword",
        Fingerprint = "sha-256 " + string.Join(':', Enumerable.Repeat("AB", 32)),
        Candidates = ["candidate:1 1 udp 2130706431 203.0.113.10 40000 typ host", "candidate:2 1 tcp 1671430143 203.0.113.10 40000 typ host tcptype passive"],
        AgentMsid = new SdpMsid("PA_agent|TR_agent", "TR_agent"),
        AgentSsrc = 1111,
        Cname = "agent",
        MaxMessageSize = 65_536,
    };

    [Theory, MemberData(nameof(SdpOffers.All), MemberType = typeof(SdpOffers))]
    public void Answer_KeepsSectionsOrderMidsAndPayloadTypes(string name)
    {
        var offer = SdpParser.Parse(SdpOffers.Read(name));
        var text = SdpAnswer.Write(Negotiation.Decide(offer, null, 1), Local);
        var answer = SdpParser.Parse(text);

        Assert.True(answer.IsIceLite);
        Assert.Equal(offer.AllowsMixedExtensions, answer.AllowsMixedExtensions);
        Assert.Equal(offer.Media.Select(section => (section.Mid, section.Kind, section.Protocol)), answer.Media.Select(section => (section.Mid, section.Kind, section.Protocol)));
        Assert.Equal(offer.Media.Select(section => section.IsRejected), answer.Media.Select(section => section.IsRejected));
        Assert.Equal(offer.Bundle, answer.Bundle);
        Assert.DoesNotContain("usedtx", text);
        Assert.DoesNotContain(" red/", text);
        Assert.DoesNotContain("bundle-only", text);
        foreach (var (offered, answered) in offer.Media.Zip(answer.Media).Where(pair => !pair.First.IsRejected))
        {
            Assert.Contains(answered.Formats[0], offered.Formats);
            Assert.Single(answered.Formats);
            if (offered.Kind != SdpMediaKind.Audio)
                continue;
            Assert.Equal((offered.Opus?.PayloadType, "minptime=10;useinbandfec=1"), (answered.Opus?.PayloadType, answered.Opus?.Parameters));
            Assert.Equal(offered.Extensions, answered.Extensions);
        }
    }

    [Theory]
    [InlineData("a=rtcp-fb:111 nack", true, true)]
    [InlineData("a=rtcp-fb:* nack", true, true)]
    [InlineData("a=rtcp-fb:111 nack", false, false)]
    [InlineData("a=rtcp-fb:111 nack pli", true, false)]
    [InlineData("a=rtcp-fb:63 nack", true, false)]
    [InlineData("a=rtcp-fb: nack", true, false)]
    public void Answer_AgreesOnNack_WhereItIsOfferedForOpusAndWanted(string line, bool allowsNack, bool isAgreed)
    {
        var offer = SdpOffers.Read("chromium-sendrecv").Replace("a=rtcp-fb:111 transport-cc", line);
        Assert.Contains(line, offer);
        Assert.Equal(isAgreed, SdpAnswer.Write(Negotiation.Decide(SdpParser.Parse(offer), null, 1, allowsNack), Local).Contains("a=rtcp-fb:111 nack\r\n"));
        // A profile without feedback (RFC 4585 §3.1).
        Assert.DoesNotContain("nack", SdpAnswer.Write(Negotiation.Decide(SdpParser.Parse(offer.Replace("RTP/SAVPF", "RTP/SAVP")), null, 1, allowsNack), Local));
    }

    [Theory, MemberData(nameof(SdpOffers.All), MemberType = typeof(SdpOffers))]
    public void Answer_SaysTheOneTransportInEachSection(string name)
    {
        var negotiation = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read(name)), null, 1);
        var answer = SdpParser.Parse(SdpAnswer.Write(negotiation, Local));

        var used = answer.Media.Where(section => !section.IsRejected).ToList();
        Assert.All(used, section => Assert.Equal(
            (9, Local.UsernameFragment, Local.Password, Local.Fingerprint, SdpSetup.Active),
            (section.Port, section.UsernameFragment, section.Password, section.Fingerprint, section.Setup)));
        Assert.All(used.Where(section => section.IsSecureRtp), section => Assert.True(section.IsRtcpMultiplexed));
        Assert.Equal(["203.0.113.10 40000 udp", "203.0.113.10 40000 tcp"], used.SelectMany(section => section.Candidates).Select(c => $"{c.Address} {c.Port} {c.Protocol}"));
        Assert.Equal(2, used.Single(section => section.Mid == answer.Bundle[0]).Candidates.Count);
    }

    [Theory, MemberData(nameof(SdpOffers.All), MemberType = typeof(SdpOffers))]
    public void Answer_AgreesWithTheDirectionsOfTheOffer(string name)
    {
        var offer = SdpParser.Parse(SdpOffers.Read(name));
        var answer = SdpParser.Parse(SdpAnswer.Write(Negotiation.Decide(offer, null, 64), Local));

        foreach (var (offered, answered) in offer.Media.Zip(answer.Media).Where(pair => pair.First.IsSecureRtp && !pair.First.IsRejected))
        {
            Assert.True(offered.ClientReceives || !answered.ClientSends);       // of the parsed answer, "client" is this side
            Assert.Equal(offered.ClientSends && offered.Kind == SdpMediaKind.Audio, answered.ClientReceives);
            Assert.True(offered.Kind == SdpMediaKind.Audio || answered.Direction == SdpDirection.Inactive);
        }
        var agents = answer.Media.Where(section => section.ClientSends && section.IsSecureRtp).ToList();
        Assert.Equal(offer.Media.Any(section => section is { Kind: SdpMediaKind.Audio, ClientReceives: true, IsRejected: false }) ? 1 : 0, agents.Count);
        Assert.All(agents, section => Assert.Equal((Local.AgentMsid, 1111u), (section.Msid, Assert.Single(section.Ssrcs))));
        Assert.All(answer.Media.Except(agents), section => Assert.True(section.Msid is null && section.Ssrcs.Count == 0));
    }

    [Theory]
    [InlineData("chromium-recvonly", "0:Send 1:Data")]
    [InlineData("chromium-data-only", "0:Data")]
    [InlineData("chromium-sendrecv", "0:SendReceive 1:Data")]
    [InlineData("chromium-sendonly-first", "0:Receive 1:Send 2:Data")]
    [InlineData("chromium-simulcast-five-tracks", "0:Inactive 1:Send 2:Receive 3:Inactive 4:Inactive 5:Inactive 6:Inactive 7:Data")]
    [InlineData("chromium-livekit-2.16.1-1", "0:Data")]
    [InlineData("chromium-livekit-2.23.0-1", "0:Send 1:Inactive 2:Inactive 3:Inactive 4:Inactive 5:Inactive 6:Data")]
    [InlineData("chromium-livekit-2.23.0-4", "0:Send 1:Inactive 2:Inactive 3:Inactive 4:Inactive 5:Inactive 6:Data 7:Receive")]
    [InlineData("chromium-stopped", "0:Rejected 1:Receive 2:Data")]
    [InlineData("chromium-recycled", "3:Send 1:Receive 2:Data")]
    [InlineData("firefox-2", "0:Send 1:Inactive 2:Inactive 3:Inactive 4:Inactive 5:Inactive 6:Data 7:Receive")]
    public void Decide_GivesEachSectionItsUse(string name, string uses)
        => Assert.Equal(uses, Uses(Negotiation.Decide(SdpParser.Parse(SdpOffers.Read(name)), null, 1)));

    [Fact]
    public void Decide_TakesAsManyMicrophonesAsAllowed()
    {
        var offer = SdpParser.Parse(SdpOffers.Read("chromium-simulcast-five-tracks"));
        Assert.Equal("0:Inactive 1:Send 2:Receive 3:Receive 4:Receive 5:Inactive 6:Inactive 7:Data", Uses(Negotiation.Decide(offer, null, 3)));
    }

    [Fact]
    public void Decide_KeepsTheAgentsSectionInEveryLaterAnswer()
    {
        foreach (var names in SdpOffers.Connections)
        {
            Negotiation? last = null;
            foreach (var name in names)
            {
                var next = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read(name)), last, 1);
                Assert.True(last?.AgentMid is null || last.AgentMid == next.AgentMid, name);
                Assert.True(last?.IsDtlsClient is null || last.IsDtlsClient == next.IsDtlsClient, name);
                last = next;
            }
        }
    }

    [Theory]
    [InlineData("chromium-livekit-2.16.1-2", "chromium-livekit-2.16.1-3", true)]
    [InlineData("chromium-livekit-2.18.10-2", "chromium-livekit-2.18.10-3", false)]
    [InlineData("chromium-livekit-2.18.10-3", "chromium-livekit-2.18.10-4", true)]
    [InlineData("chromium-livekit-2.23.0-3", "chromium-livekit-2.23.0-4", true)]
    [InlineData("chromium-recycled", "chromium-ice-restart", true)]
    [InlineData("firefox-1", "firefox-2", false)]
    [InlineData("firefox-2", "firefox-3", true)]
    public void IsIceRestartOf_TellsChangedCredentials(string before, string after, bool isRestart)
    {
        var first = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read(before)), null, 1);
        Assert.Equal(isRestart, Negotiation.Decide(SdpParser.Parse(SdpOffers.Read(after)), first, 1).IsIceRestartOf(first));
    }

    [Fact]
    public void Decide_KeepsTheMicrophoneThatItHas_WhenAnotherComesBeforeIt()
    {
        var text = SdpOffers.Read("chromium-sendonly-first");
        var muted = SdpParser.Parse(text);
        muted.Media[0].Direction = SdpDirection.Inactive;
        muted.Media[1].Direction = SdpDirection.SendReceive;
        var first = Negotiation.Decide(muted, null, 1);
        var both = SdpParser.Parse(text);
        both.Media[1].Direction = SdpDirection.SendReceive;

        Assert.Equal("0:Inactive 1:SendReceive 2:Data", Uses(first));
        Assert.Equal("0:Inactive 1:SendReceive 2:Data", Uses(Negotiation.Decide(both, first, 1)));
        Assert.Equal("0:Receive 1:Send 2:Data", Uses(Negotiation.Decide(both, null, 1)));
    }

    [Fact]
    public void Decide_PausesTheAgentsSection_WhileTheClientDoesNotReceive()
    {
        var first = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-1")), null, 1);
        var paused = SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-2"));
        paused.Media[0].Direction = SdpDirection.Inactive;

        var second = Negotiation.Decide(paused, first, 1);
        Assert.Null(second.Agent);
        Assert.Equal("0", second.AgentMid);
        Assert.Equal("0", Negotiation.Decide(SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-3")), second, 1).Agent?.Offered.Mid);
    }

    [Fact]
    public void Decide_PausesTheAgentsSection_WhileNothingIsToBeSent()
    {
        var first = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-1")), null, 1, sendsAgent: false);
        Assert.Null(first.Agent);
        Assert.Equal("0", first.AgentMid);
        var second = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-2")), first, 1);
        Assert.Equal("0", second.Agent?.Offered.Mid);
        Assert.Null(Negotiation.Decide(SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-3")), second, 1, sendsAgent: false).Agent);
    }

    [Theory]
    [InlineData("a=setup:active", "passive")]
    [InlineData("a=setup:passive", "active")]
    [InlineData("a=setup:actpass", "active")]
    public void Answer_TakesTheOtherDtlsRole(string offered, string answered)
    {
        var offer = SdpParser.Parse(SdpOffers.Read("chromium-recvonly").Replace("a=setup:actpass", offered));
        var text = SdpAnswer.Write(Negotiation.Decide(offer, null, 1), Local);
        Assert.Equal(2, text.Split($"a=setup:{answered}\r\n").Length - 1);
    }

    [Fact]
    public void Answer_TurnsTheDirectionOfExtensionsRound()
    {
        var text = SdpOffers.Read("chromium-recvonly").Replace("extmap:1 ", "extmap:1/recvonly ").Replace("extmap:4 ", "extmap:4/sendonly ");
        var answer = SdpAnswer.Write(Negotiation.Decide(SdpParser.Parse(text), null, 1), Local);
        Assert.Contains("a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n", answer);
        Assert.Contains("a=extmap:4/recvonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n", answer);
    }

    [Fact]
    public void Decide_RejectsWhatIsOutsideTheBundle()
    {
        var text = SdpOffers.Read("chromium-sendonly-first").Replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0 2");
        var negotiation = Negotiation.Decide(SdpParser.Parse(text), null, 1);
        Assert.Equal("0:Receive 1:Rejected 2:Data", Uses(negotiation));
        Assert.Equal(["0", "2"], SdpParser.Parse(SdpAnswer.Write(negotiation, Local)).Bundle);
    }

    [Theory]
    [InlineData("a=ice-ufrag:", "a=x:", "The offer has no ice-ufrag and ice-pwd.")]
    [InlineData("a=fingerprint:sha-256", "a=fingerprint:sha-1", "The offer has no sha-256 fingerprint.")]
    [InlineData("a=mid:0", "a=x", "Section 0 has no mid.")]
    [InlineData("t=0 0", "t=0 0\r\na=ice-lite", "Both sides are ICE-lite: nobody would start the checks.")]
    [InlineData("UDP/", "SCTP/", "The offer has no section that can be used.")]
    public void Decide_RefusesWhatCannotBeAnswered(string part, string replacement, string message)
    {
        var offer = SdpParser.Parse(SdpOffers.Read("chromium-recvonly").Replace(part, replacement));
        Assert.Equal(message, Assert.Throws<SdpException>(() => Negotiation.Decide(offer, null, 1)).Message);
    }

    [Theory]
    [InlineData("a=fingerprint:sha-256 83", "a=fingerprint:sha-256 84", "The fingerprint changed: that needs a new connection.")]
    [InlineData("a=setup:actpass", "a=setup:active", "The setup role changed: that needs a new connection.")]
    [InlineData("a=mid:1", "a=mid:7", "Section 1 was mid 1 before and is 7 now.")]
    public void Decide_RefusesWhatDoesNotContinueTheConnection(string part, string replacement, string message)
    {
        var text = SdpOffers.Read("chromium-recvonly");
        var first = Negotiation.Decide(SdpParser.Parse(text), null, 1);
        var offer = SdpParser.Parse(text.Replace(part, replacement));
        var refusal = Assert.Throws<SdpException>(() => Negotiation.Decide(offer, first, 1));
        Assert.Equal((message, message.EndsWith("new connection.")), (refusal.Message, refusal.NeedsNewConnection));
    }

    [Fact]
    public void Decide_RefusesWhatChromiumMakesANewTransportFor()
    {
        var first = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read("chromium-stopped")), null, 1);
        var offer = SdpParser.Parse(SdpOffers.Read("chromium-recycled"));
        Assert.Equal("The section that led the bundle was stopped: that needs a new connection.",
            Assert.Throws<SdpException>(() => Negotiation.Decide(offer, first, 1)).Message);
    }

    [Fact]
    public void Decide_RefusesFewerSectionsThanBefore()
    {
        var first = Negotiation.Decide(SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-3")), null, 1);
        var offer = SdpParser.Parse(SdpOffers.Read("chromium-livekit-2.23.0-2"));
        Assert.Equal("The offer has fewer sections than the one before.", Assert.Throws<SdpException>(() => Negotiation.Decide(offer, first, 1)).Message);
    }

    private static string Uses(Negotiation negotiation) => string.Join(' ', negotiation.Sections.Select(section => $"{section.Offered.Mid}:{section.Use}"));
}
