using System.Security.Cryptography;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Sctp;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc;

/// <summary>What one peer connection is made of.</summary>
public sealed record PeerConnectionOptions
{
    /// <summary>The silo's port; it outlives the connection.</summary>
    public required MediaEndpoint Endpoint { get; init; }

    /// <summary>Kept by the process; its fingerprint is in every answer.</summary>
    public required DtlsCertificate Certificate { get; init; }

    /// <summary>First id of the agent's a=msid (RFC 8830). LiveKit clients read the participant from it: "PA_x|TR_x".</summary>
    public required string AgentStreamId { get; init; }

    /// <summary>Second id of the agent's a=msid. LiveKit clients want the track's sid: "TR_x".</summary>
    public required string AgentTrackId { get; init; }

    /// <summary>Synchronization source of the agent's audio. Default: random, as RFC 3550 §8 asks for.</summary>
    public uint AgentSsrc { get; init; } = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));

    /// <summary>CNAME of our RTCP (RFC 7022 §4.2). Default: 96 random bits.</summary>
    public string Cname { get; init; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(12));

    /// <summary>Audio tracks that are received at the same time. Default 1; the client's further ones are answered inactive.</summary>
    public int MaxMicrophones { get; init; } = 1;

    /// <summary>
    /// Whether lost packets of audio are sent again, both ways, where the client offers that (RFC 4585 NACK, without RFC 4588). Default false: Opus conceals a
    /// loss sooner than most round trips repair it.
    /// </summary>
    public bool Nack { get; init; }

    /// <summary>Limits of the data channels; <see cref="SctpOptions.MaxMessageBytes"/> is what the answer announces.</summary>
    public SctpOptions Sctp { get; init; } = SctpOptions.Default;

    /// <summary>Time from an answer to the client's nominated pair. Default 20 s. The DTLS handshake has <see cref="DtlsTransport.HandshakeLimit"/> after it.</summary>
    public TimeSpan IceTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Mean time between two RTCP reports, each of which comes after 0.5 to 1.5 of it. Default 5 s (RFC 3550 §6.2, §6.3.1).</summary>
    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromSeconds(5);
}
