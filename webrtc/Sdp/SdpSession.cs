namespace VoiceGrains.WebRtc.Sdp;

/// <summary>What an offer says (RFC 8866, with the attributes that JSEP, RFC 9429, uses). Everything else in it is skipped.</summary>
internal sealed class SdpSession
{
    /// <summary>The mids of the first BUNDLE group in its order; empty when there is none (RFC 9143).</summary>
    public IReadOnlyList<string> Bundle { get; set; } = [];

    /// <summary>One- and two-byte RTP header extensions may share a stream (RFC 8285 §6).</summary>
    public bool AllowsMixedExtensions { get; set; }

    public bool IsIceLite { get; set; }

    /// <summary>The sections in the order of their m-lines, which the answer must keep.</summary>
    public IReadOnlyList<SdpMedia> Media { get; set; } = [];
}

internal enum SdpMediaKind { Audio, Video, Application, Other }

/// <summary>Flow of media as the side that writes it sees it (RFC 8866 §6.7).</summary>
internal enum SdpDirection { SendReceive, SendOnly, ReceiveOnly, Inactive }

/// <summary>Who starts DTLS (RFC 8842 §5.2); <see cref="Unspecified"/> when the offer does not say.</summary>
internal enum SdpSetup { Unspecified, ActPass, Active, Passive }

/// <summary>A media stream's id and its track's id (RFC 8830).</summary>
internal readonly record struct SdpMsid(string StreamId, string? TrackId);

/// <summary>One RTP header extension that is offered: its id and URI, and in which direction it may be used (RFC 8285 §8).</summary>
internal readonly record struct SdpExtension(byte Id, SdpDirection Direction, string Uri)
{
    public const string Mid = "urn:ietf:params:rtp-hdrext:sdes:mid";
    public const string AudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
}

/// <summary>One candidate of the client (RFC 8839 §5.1, RFC 6544). Not looked at further: a lite agent never sends checks.</summary>
internal readonly record struct SdpCandidate(string Protocol, uint Priority, string Address, int Port, string Type);
