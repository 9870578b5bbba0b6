using System.Globalization;
using System.Text;

namespace VoiceGrains.WebRtc.Sdp;

/// <summary>What this side says of itself in an answer.</summary>
internal sealed record LocalDescription
{
    public required long SessionId { get; init; }

    /// <summary>Grows with each answer (RFC 3264 §8).</summary>
    public required int Version { get; init; }
    public required string UsernameFragment { get; init; }
    public required string Password { get; init; }
    public required string Fingerprint { get; init; }

    /// <summary>Each as "candidate:…", complete: nothing trickles after them.</summary>
    public required IReadOnlyList<string> Candidates { get; init; }
    public required SdpMsid AgentMsid { get; init; }
    public required uint AgentSsrc { get; init; }
    public required string Cname { get; init; }

    /// <summary>Largest message in bytes that is taken from the client.</summary>
    public required int MaxMessageSize { get; init; }
}

/// <summary>Writes the answer to an offer: its sections in its order, each with the one transport of the bundle.</summary>
internal static class SdpAnswer
{
    public static string Write(Negotiation negotiation, LocalDescription local)
    {
        var sdp = new StringBuilder(4_096);
        Line(sdp, $"v=0");
        Line(sdp, $"o=- {local.SessionId} {local.Version} IN IP4 0.0.0.0");
        Line(sdp, $"s=-");
        Line(sdp, $"t=0 0");
        Line(sdp, $"a=ice-lite");
        if (negotiation.Bundle.Count > 0)
            Line(sdp, $"a=group:BUNDLE {string.Join(' ', negotiation.Bundle)}");
        if (negotiation.AllowsMixedExtensions)
            Line(sdp, $"a=extmap-allow-mixed");
        foreach (var section in negotiation.Sections)
            WriteSection(sdp, section, negotiation, local);
        return sdp.ToString();
    }

    private static void WriteSection(StringBuilder sdp, NegotiatedSection section, Negotiation negotiation, LocalDescription local)
    {
        var offered = section.Offered;
        // An unwanted section keeps a port: Chromium would put the microphone into the place of a rejected one, and mix up the two.
        Line(sdp, $"m={offered.KindName} {(section.Use == SectionUse.Rejected ? 0 : 9)} {offered.Protocol} {Format(section)}");
        Line(sdp, $"c=IN IP4 0.0.0.0");
        if (offered.Mid is not null)
            Line(sdp, $"a=mid:{offered.Mid}");
        if (section.Use == SectionUse.Rejected)
        {
            Line(sdp, $"a=inactive");
            return;
        }
        Line(sdp, $"a=ice-ufrag:{local.UsernameFragment}");
        Line(sdp, $"a=ice-pwd:{local.Password}");
        Line(sdp, $"a=fingerprint:{local.Fingerprint}");
        Line(sdp, $"a=setup:{(negotiation.IsDtlsClient ? "active" : "passive")}");
        if (section.Use == SectionUse.Data)
            WriteData(sdp, local);
        else
            WriteRtp(sdp, section, local);
        if (offered != negotiation.Transport)
            return;
        foreach (var candidate in local.Candidates)
            Line(sdp, $"a={candidate}");
        Line(sdp, $"a=end-of-candidates");
    }

    private static string Format(NegotiatedSection section)
        => Codec(section.Offered) is { } codec ? codec.PayloadType.ToString(CultureInfo.InvariantCulture) : section.Offered.Formats[0];

    /// <summary>Opus alone; a section that nothing flows in must name some codec all the same.</summary>
    private static SdpCodec? Codec(SdpMedia offered)
        => (offered.Kind == SdpMediaKind.Audio ? offered.Opus : null) ?? (offered.Codecs.Count > 0 ? offered.Codecs[0] : null);

    private static void WriteRtp(StringBuilder sdp, NegotiatedSection section, LocalDescription local)
    {
        var offered = section.Offered;
        Line(sdp, $"a={Direction(section.Use)}");
        if (section.Sends)
            Line(sdp, $"a=msid:{local.AgentMsid.StreamId} {local.AgentMsid.TrackId}");
        Line(sdp, $"a=rtcp-mux");
        if (offered.IsRtcpReducedSize)
            Line(sdp, $"a=rtcp-rsize");
        if (offered.Kind == SdpMediaKind.Audio)
            foreach (var extension in offered.Extensions.DistinctBy(extension => extension.Uri))
                Line(sdp, $"a=extmap:{extension.Id}{Mirrored(extension.Direction)} {extension.Uri}");
        if (Codec(offered) is { } codec)
            WriteCodec(sdp, codec);
        if (section is { HasNack: true, Use: not SectionUse.Inactive })
            Line(sdp, $"a=rtcp-fb:{offered.Opus!.PayloadType} nack");
        if (section.Sends)
            Line(sdp, $"a=ssrc:{local.AgentSsrc} cname:{local.Cname}");
    }

    /// <summary>No usedtx: packets flow all the time, so that silence is told from loss. The client's own sending follows these (RFC 7587 §7.1).</summary>
    private static void WriteCodec(StringBuilder sdp, SdpCodec codec)
    {
        if (codec.Mapping is not null)
            Line(sdp, $"a=rtpmap:{codec.PayloadType} {codec.Mapping}");
        if (codec.IsOpus)
            Line(sdp, $"a=fmtp:{codec.PayloadType} minptime=10;useinbandfec=1");
        else if (codec.Parameters is not null)
            Line(sdp, $"a=fmtp:{codec.PayloadType} {codec.Parameters}");
    }

    private static void WriteData(StringBuilder sdp, LocalDescription local)
    {
        Line(sdp, $"a=sctp-port:5000");
        Line(sdp, $"a=max-message-size:{local.MaxMessageSize}");
    }

    private static string Direction(SectionUse use) => use switch
    {
        SectionUse.Send => "sendonly",
        SectionUse.Receive => "recvonly",
        SectionUse.SendReceive => "sendrecv",
        _ => "inactive",
    };

    /// <summary>What the client sends, this side receives (RFC 8285 §8).</summary>
    private static string Mirrored(SdpDirection direction) => direction switch
    {
        SdpDirection.SendOnly => "/recvonly",
        SdpDirection.ReceiveOnly => "/sendonly",
        SdpDirection.Inactive => "/inactive",
        _ => "",
    };

    private static void Line(StringBuilder sdp, FormattableString line) => sdp.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
}
