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
    private ushort _sequence = RtpHeader.FirstSequence();
    private volatile SrtpSession? _session;
    private volatile RetransmissionBuffer? _sent;
    private long _requested;
    private long _retransmitted;
    private volatile int _payloadType = -1;

    public uint Ssrc => ssrc;
    public RtpSenderStatistics Statistics { get; } = new(ssrc, ClockRateHz, clock);

    /// <summary>Packets that the client asked for again, whether it got them or not.</summary>
    public long Requested => Interlocked.Read(ref _requested);

    /// <summary>Packets sent again.</summary>
    public long Retransmitted => Interlocked.Read(ref _retransmitted);

    /// <param name="payloadType">The number that the client gave Opus; null while it takes no audio.</param>
    /// <param name="resends">The client may ask for packets again.</param>
    public void Negotiate(byte? payloadType, bool resends)
    {
        _sent = resends ? _sent ?? new RetransmissionBuffer(clock) : null;
        _payloadType = payloadType ?? -1;
    }

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
        _sent?.Keep(header.Sequence, _buffer.AsSpan(0, length));
        return transport.TrySend(_buffer.AsSpan(0, length));
    }

    /// <summary>Sends again what the client misses, as far as that was agreed on. From the receive loop.</summary>
    public void OnNack(ReadOnlySpan<ushort> lost)
    {
        Interlocked.Add(ref _requested, lost.Length);
        if (_sent is not { } sent)
            return;
        Span<byte> datagram = stackalloc byte[RtpHeader.Bytes + MaxPayload + SrtpSession.MaxTrailer];
        foreach (var sequence in lost)
            if (sent.TryTake(sequence, datagram, out var length) && transport.TrySend(datagram[..length]))
                Interlocked.Increment(ref _retransmitted);
    }

    public void Dispose() => _session?.Dispose();
}
