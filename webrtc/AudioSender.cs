using System.Security.Cryptography;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc;

/// <summary>The agent's RTP stream: one source whose sequence and time go on through every later offer and ICE restart. One thread sends at a time.</summary>
internal sealed class AudioSender(PeerTransport transport, uint ssrc, TimeProvider clock) : IDisposable
{
    public const int ClockRateHz = 48_000;

    /// <summary>Longest Opus packet of 20 ms (RFC 6716 §3.2.1).</summary>
    private const int MaxPayload = 1_276;

    private readonly byte[] _buffer = new byte[RtpHeader.Bytes + MaxPayload + SrtpSession.MaxTrailer];

    // Random starts: known plain text would help who attacks the encryption (RFC 3550 §5.1).
    private readonly uint _timestampStart = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4));
    private ushort _sequence = BitConverter.ToUInt16(RandomNumberGenerator.GetBytes(2));
    private volatile SrtpSession? _session;
    private volatile int _payloadType = -1;

    public uint Ssrc => ssrc;
    public RtpSenderStatistics Statistics { get; } = new(ssrc, ClockRateHz, clock);

    /// <summary>The number that the client gave Opus; null while it takes no audio.</summary>
    public void Negotiate(byte? payloadType) => _payloadType = payloadType ?? -1;

    /// <summary>Its own session: that of the reports is used by another thread.</summary>
    public void Secure(SrtpKeys keys) => _session = SrtpSession.Outbound(keys);

    public bool TrySend(ReadOnlySpan<byte> opus, uint timestamp, bool marker)
    {
        var payloadType = _payloadType;
        // Sequence numbers are not spent on what cannot leave: the client would take it for loss.
        if (payloadType < 0 || _session is not { } session || opus.Length is 0 or > MaxPayload || !transport.IsOpen)
            return false;
        var header = new RtpHeader((byte)payloadType, marker, _sequence++, unchecked(timestamp + _timestampStart), ssrc);
        header.Write(_buffer);
        opus.CopyTo(_buffer.AsSpan(RtpHeader.Bytes));
        var length = RtpHeader.Bytes + opus.Length;
        if (!session.Protect(_buffer, ref length))
            return false;
        Statistics.OnSent(header.Timestamp, opus.Length);
        return transport.TrySend(_buffer.AsSpan(0, length));
    }

    public void Dispose() => _session?.Dispose();
}
