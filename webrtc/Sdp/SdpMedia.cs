namespace VoiceGrains.WebRtc.Sdp;

/// <summary>One m-line of an offer with its attributes; those that stand at session level are copied into each section.</summary>
internal sealed class SdpMedia
{
    public required SdpMediaKind Kind { get; init; }

    /// <summary>The media word as it was written; the answer repeats it.</summary>
    public required string KindName { get; init; }
    public required int Port { get; init; }
    public required string Protocol { get; init; }

    /// <summary>The formats of the m-line in the client's order: payload types for RTP.</summary>
    public required IReadOnlyList<string> Formats { get; init; }

    public string? Mid { get; set; }
    public SdpDirection Direction { get; set; }

    /// <summary>Port 0 means "only inside its bundle" instead of "rejected" (RFC 9143 §6). Firefox writes this for all but the first section.</summary>
    public bool IsBundleOnly { get; set; }

    public string? UsernameFragment { get; set; }
    public string? Password { get; set; }

    /// <summary>"sha-256 AB:CD:…" in upper case; null when no usable one was offered.</summary>
    public string? Fingerprint { get; set; }
    public SdpSetup Setup { get; set; }
    public bool IsRtcpMultiplexed { get; set; }
    public bool IsRtcpReducedSize { get; set; }
    public SdpMsid? Msid { get; set; }

    /// <summary>The port of the SCTP association inside DTLS (RFC 8841); 5000 everywhere in practice.</summary>
    public int? SctpPort { get; set; }

    /// <summary>Largest message in bytes that the client takes; 0 says any, null says 65,536 (RFC 8841 §6.1).</summary>
    public long? MaxMessageSize { get; set; }

    public List<SdpCodec> Codecs { get; } = [];
    public List<SdpExtension> Extensions { get; } = [];
    public List<uint> Ssrcs { get; } = [];
    public List<SdpCandidate> Candidates { get; } = [];

    /// <summary>The client turned this section off for good, and has put nothing else in its place.</summary>
    public bool IsRejected => Port == 0 && !IsBundleOnly;

    /// <summary>RTP over DTLS, as every browser offers it (RFC 8834 §4.1).</summary>
    public bool IsSecureRtp => Protocol is "UDP/TLS/RTP/SAVPF" or "UDP/TLS/RTP/SAVP" or "TCP/TLS/RTP/SAVPF" or "TCP/TLS/RTP/SAVP";

    /// <summary>The profile allows feedback such as NACK at any time (RFC 4585 §3.1).</summary>
    public bool HasFeedback => IsSecureRtp && Protocol.EndsWith('F');

    /// <summary>Data channels as RFC 8841 writes them; the older "DTLS/SCTP 5000" is not spoken here.</summary>
    public bool IsDataChannel => Kind == SdpMediaKind.Application && Protocol is "UDP/DTLS/SCTP" or "TCP/DTLS/SCTP" && Formats is ["webrtc-datachannel", ..];

    public bool ClientSends => Direction is SdpDirection.SendReceive or SdpDirection.SendOnly;
    public bool ClientReceives => Direction is SdpDirection.SendReceive or SdpDirection.ReceiveOnly;

    public SdpCodec? Codec(int payloadType)
    {
        foreach (var codec in Codecs)
            if (codec.PayloadType == payloadType)
                return codec;
        return null;
    }

    /// <summary>The client's first Opus: its number is kept in the answer.</summary>
    public SdpCodec? Opus
    {
        get
        {
            foreach (var codec in Codecs)
                if (codec.IsOpus)
                    return codec;
            return null;
        }
    }

    public byte? ExtensionId(string uri)
    {
        foreach (var extension in Extensions)
            if (extension.Uri == uri && extension.Direction != SdpDirection.Inactive)
                return extension.Id;
        return null;
    }
}

/// <summary>A payload type with its rtpmap and fmtp (RFC 8866 §6.6, §6.15). Static payload types may have neither.</summary>
internal sealed class SdpCodec(byte payloadType)
{
    public byte PayloadType => payloadType;

    /// <summary>As in "opus/48000/2"; null without an rtpmap.</summary>
    public string? Mapping { get; set; }
    public string? Parameters { get; set; }

    /// <summary>The client can send lost packets again, and asks for them: a=rtcp-fb with plain "nack" (RFC 4585 §4.2).</summary>
    public bool HasNack { get; set; }

    /// <summary>Opus always says two channels and 48 kHz, whatever it carries (RFC 7587 §7). Types 64 to 95 would be taken for RTCP (RFC 5761 §4).</summary>
    public bool IsOpus => payloadType is < 64 or > 95 && string.Equals(Mapping, "opus/48000/2", StringComparison.OrdinalIgnoreCase);
}
