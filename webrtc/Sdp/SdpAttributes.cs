using System.Net;

namespace VoiceGrains.WebRtc.Sdp;

/// <summary>The a-lines of a section. Each returns what is wrong with it, or null; unknown ones are skipped.</summary>
internal static class SdpAttributes
{
    public static string? Read(SdpMedia section, ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        switch (name)
        {
            case "sendrecv": section.Direction = SdpDirection.SendReceive; return null;
            case "sendonly": section.Direction = SdpDirection.SendOnly; return null;
            case "recvonly": section.Direction = SdpDirection.ReceiveOnly; return null;
            case "inactive": section.Direction = SdpDirection.Inactive; return null;
            case "bundle-only": section.IsBundleOnly = true; return null;
            case "rtcp-mux": section.IsRtcpMultiplexed = true; return null;
            case "rtcp-rsize": section.IsRtcpReducedSize = true; return null;
            case "ice-ufrag": return ReadUsernameFragment(section, value);
            case "ice-pwd": return ReadPassword(section, value);
            case "fingerprint": return ReadFingerprint(section, value);
            case "setup": return ReadSetup(section, value);
            case "rtpmap": return ReadMapping(section, value);
            case "fmtp": return ReadParameters(section, value);
            case "rtcp-fb": ReadFeedback(section, value); return null;
            case "extmap": return ReadExtension(section, value);
            case "msid": return ReadMsid(section, value);
            case "ssrc": return ReadSsrc(section, value);
            case "sctp-port": return ReadSctpPort(section, value);
            case "max-message-size": return ReadMaxMessageSize(section, value);
            case "candidate": ReadCandidate(section, value); return null;
            default: return null;
        }
    }

    /// <summary>RFC 8839 §5.4.</summary>
    private static string? ReadUsernameFragment(SdpMedia section, ReadOnlySpan<char> value)
    {
        if (value.Length is < 4 or > 256 || !SdpText.IsIceText(value))
            return "ice-ufrag must have 4 to 256 letters, digits, + or /";
        section.UsernameFragment = value.ToString();
        return null;
    }

    private static string? ReadPassword(SdpMedia section, ReadOnlySpan<char> value)
    {
        if (value.Length is < 22 or > 256 || !SdpText.IsIceText(value))
            return "ice-pwd must have 22 to 256 letters, digits, + or /";
        section.Password = value.ToString();
        return null;
    }

    /// <summary>RFC 8122 §5. Other hashes than SHA-256 may stand beside it and are skipped: RFC 8827 §6.5 makes every browser offer it.</summary>
    private static string? ReadFingerprint(SdpMedia section, ReadOnlySpan<char> value)
    {
        var hash = SdpText.NextWord(ref value);
        var bytes = value.Trim(' ');
        if (!hash.Equals("sha-256", StringComparison.OrdinalIgnoreCase))
            return null;
        if (bytes.Length != 32 * 3 - 1)
            return "a sha-256 fingerprint has 32 bytes";
        for (var i = 0; i < bytes.Length; i++)
            if (i % 3 == 2 ? bytes[i] != ':' : !char.IsAsciiHexDigit(bytes[i]))
                return "a fingerprint is written as pairs of hexadecimal digits with colons between";
        section.Fingerprint = $"sha-256 {bytes.ToString().ToUpperInvariant()}";
        return null;
    }

    private static string? ReadSetup(SdpMedia section, ReadOnlySpan<char> value)
    {
        section.Setup = value switch
        {
            "actpass" => SdpSetup.ActPass,
            "active" => SdpSetup.Active,
            "passive" => SdpSetup.Passive,
            _ => SdpSetup.Unspecified,
        };
        return section.Setup == SdpSetup.Unspecified ? "setup must be actpass, active or passive" : null;
    }

    /// <summary>payload-type SP encoding/clock[/channels].</summary>
    private static string? ReadMapping(SdpMedia section, ReadOnlySpan<char> value)
    {
        var codec = NextCodec(section, ref value, out var isNumber);
        if (codec is not null && SdpText.NextWord(ref value) is { IsEmpty: false } mapping)
            codec.Mapping = mapping.ToString();
        return isNumber ? null : "rtpmap without a payload type from 0 to 127";
    }

    private static string? ReadParameters(SdpMedia section, ReadOnlySpan<char> value)
    {
        var codec = NextCodec(section, ref value, out var isNumber);
        if (codec is not null && !value.IsEmpty)
            codec.Parameters = value.Trim(' ').ToString();
        return isNumber || !section.IsSecureRtp ? null : "fmtp without a payload type from 0 to 127";
    }

    /// <summary>(payload-type / "*") SP feedback, RFC 4585 §4.2. "nack pli" and the like are other things than "nack".</summary>
    private static void ReadFeedback(SdpMedia section, ReadOnlySpan<char> value)
    {
        var format = SdpText.NextWord(ref value);
        if (value.Trim(' ') is not "nack")
            return;     // what is not known is not answered
        foreach (var codec in section.Codecs)
            codec.HasNack |= format is "*" || SdpText.TryNumber(format, 127, out int payloadType) && payloadType == codec.PayloadType;
    }

    private static SdpCodec? NextCodec(SdpMedia section, ref ReadOnlySpan<char> value, out bool isNumber)
    {
        isNumber = SdpText.TryNumber(SdpText.NextWord(ref value), 127, out int payloadType);
        return isNumber ? section.Codec(payloadType) : null;
    }

    /// <summary>id["/"direction] SP uri [SP attributes], RFC 8285 §8. Ids above 14 need the two-byte form, those above 255 no form at all.</summary>
    private static string? ReadExtension(SdpMedia section, ReadOnlySpan<char> value)
    {
        var id = SdpText.NextWord(ref value);
        var uri = SdpText.NextWord(ref value);
        var direction = SdpDirection.SendReceive;
        if (id.IndexOf('/') is >= 0 and var slash)
        {
            direction = id[(slash + 1)..] switch
            {
                "sendonly" => SdpDirection.SendOnly,
                "recvonly" => SdpDirection.ReceiveOnly,
                "inactive" => SdpDirection.Inactive,
                _ => SdpDirection.SendReceive,
            };
            id = id[..slash];
        }
        if (uri.IsEmpty || !SdpText.TryNumber(id, 65_535, out int number) || number == 0)
            return "extmap needs an id and a URI";
        if (number <= 255 && section.Extensions.Count < SdpParser.MaxPerSection && uri is SdpExtension.Mid or SdpExtension.AudioLevel)
            section.Extensions.Add(new SdpExtension((byte)number, direction, uri.ToString()));
        return null;
    }

    /// <summary>stream SP [track], RFC 8830 §2. A track may be in several streams: the first counts.</summary>
    private static string? ReadMsid(SdpMedia section, ReadOnlySpan<char> value)
    {
        var stream = SdpText.NextWord(ref value);
        var track = SdpText.NextWord(ref value);
        if (stream.IsEmpty || stream.Length > 256 || track.Length > 256)
            return "msid needs a stream id, and ids of at most 256 characters";
        section.Msid ??= new SdpMsid(stream.ToString(), track.IsEmpty ? null : track.ToString());
        return null;
    }

    /// <summary>RFC 5576 §4.1.</summary>
    private static string? ReadSsrc(SdpMedia section, ReadOnlySpan<char> value)
    {
        if (!SdpText.TryNumber(SdpText.NextWord(ref value), uint.MaxValue, out long ssrc))
            return "ssrc needs a number of 32 bits";
        if (section.Ssrcs.Count < SdpParser.MaxPerSection && !section.Ssrcs.Contains((uint)ssrc))
            section.Ssrcs.Add((uint)ssrc);
        return null;
    }

    private static string? ReadSctpPort(SdpMedia section, ReadOnlySpan<char> value)
    {
        if (!SdpText.TryNumber(value, 65_535, out int port))
            return "sctp-port must be a port number";
        section.SctpPort = port;
        return null;
    }

    private static string? ReadMaxMessageSize(SdpMedia section, ReadOnlySpan<char> value)
    {
        if (!SdpText.TryNumber(value, long.MaxValue / 10, out long size))
            return "max-message-size must be a number of bytes";
        section.MaxMessageSize = size;
        return null;
    }

    /// <summary>foundation component transport priority address port "typ" type. Browsers without microphone permission hide addresses behind mDNS names.</summary>
    private static void ReadCandidate(SdpMedia section, ReadOnlySpan<char> value)
    {
        SdpText.NextWord(ref value);
        SdpText.NextWord(ref value);
        var transport = SdpText.NextWord(ref value);
        var isPriority = SdpText.TryNumber(SdpText.NextWord(ref value), uint.MaxValue, out long priority);
        var address = SdpText.NextWord(ref value);
        var isPort = SdpText.TryNumber(SdpText.NextWord(ref value), 65_535, out int port);
        if (SdpText.NextWord(ref value) is not "typ" || !isPriority || !isPort || !IPAddress.TryParse(address, out var parsed))
            return;     // a candidate that cannot be used is not a fault of the offer
        var type = SdpText.NextWord(ref value);
        if (section.Candidates.Count < SdpParser.MaxPerSection)
            section.Candidates.Add(new SdpCandidate(transport.ToString().ToLowerInvariant(), (uint)priority, parsed.ToString(), port, type.ToString()));
    }
}
