using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Rtp;

/// <summary>One RTP packet (RFC 3550 §5.1), read in place: spans of it are valid as long as the bytes it was read from.</summary>
public readonly ref struct RtpPacket
{
    private readonly ReadOnlySpan<byte> _packet;
    private readonly ReadOnlySpan<byte> _extension;

    private RtpPacket(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> extension, ReadOnlySpan<byte> payload)
    {
        _packet = packet;
        _extension = extension;
        Payload = payload;
    }

    public bool Marker => (_packet[1] & 0x80) != 0;
    public byte PayloadType => (byte)(_packet[1] & 0x7f);
    public ushort Sequence => BinaryPrimitives.ReadUInt16BigEndian(_packet[2..]);

    /// <summary>In units of the payload's clock: 48,000 a second for Opus.</summary>
    public uint Timestamp => BinaryPrimitives.ReadUInt32BigEndian(_packet[4..]);
    public uint Ssrc => BinaryPrimitives.ReadUInt32BigEndian(_packet[8..]);
    public int ContributingSources => _packet[0] & 0x0f;

    /// <summary>Without padding. May be empty.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Reads a whole, already decrypted packet of untrusted bytes. False: not RTP version 2, cut off, or with more padding than bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out RtpPacket result)
    {
        result = default;
        if (packet.Length < RtpHeader.Bytes || packet[0] >> 6 != 2)
            return false;
        var start = RtpHeader.Bytes + (4 * (packet[0] & 0x0f));
        var extension = ReadOnlySpan<byte>.Empty;
        if ((packet[0] & 0x10) != 0)
        {
            if (packet.Length < start + 4)
                return false;
            var bytes = 4 + (4 * BinaryPrimitives.ReadUInt16BigEndian(packet[(start + 2)..]));
            if (packet.Length < start + bytes)
                return false;
            extension = packet.Slice(start, bytes);
            start += bytes;
        }
        if (packet.Length < start)
            return false;
        var payload = packet[start..];
        if ((packet[0] & 0x20) != 0)
        {
            if (payload.IsEmpty || payload[^1] == 0 || payload[^1] > payload.Length)
                return false;
            payload = payload[..^payload[^1]];
        }
        result = new RtpPacket(packet, extension, payload);
        return true;
    }

    /// <param name="index">From 0 to <see cref="ContributingSources"/>, exclusive.</param>
    public uint ContributingSource(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)ContributingSources);
        return BinaryPrimitives.ReadUInt32BigEndian(_packet[(RtpHeader.Bytes + (4 * index))..]);
    }

    /// <summary>Finds a header extension in the one-byte or the two-byte form (RFC 8285 §4.2, §4.3). Elements after a damaged one do not count.</summary>
    /// <param name="id">The number that SDP's extmap gave it, from 1 to 14 or 255.</param>
    public bool TryGetExtension(int id, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (_extension.IsEmpty || id < 1)
            return false;
        var profile = BinaryPrimitives.ReadUInt16BigEndian(_extension);
        return profile == RtpHeader.OneByteProfile ? TryFindOneByte(_extension[4..], id, out value)
            : profile >> 4 == 0x100 && TryFindTwoByte(_extension[4..], id, out value);
    }

    /// <summary>Loudness of the packet as its sender measured it (RFC 6464): 0 is the loudest, 127 silence, in -dBov.</summary>
    public bool TryGetAudioLevel(int id, out byte level, out bool isVoice)
    {
        var isFound = TryGetExtension(id, out var value) && value.Length >= 1;
        (level, isVoice) = isFound ? ((byte)(value[0] & 0x7f), (value[0] & 0x80) != 0) : ((byte)0, false);
        return isFound;
    }

    private static bool TryFindOneByte(ReadOnlySpan<byte> elements, int id, out ReadOnlySpan<byte> value)
    {
        value = default;
        while (!elements.IsEmpty)
        {
            var found = elements[0] >> 4;
            var length = (elements[0] & 0x0f) + 1;
            if (elements[0] == 0)
            {
                elements = elements[1..];                   // padding
                continue;
            }
            if (found is 0 or 15 || elements.Length < 1 + length)
                return false;
            if (found == id)
            {
                value = elements.Slice(1, length);
                return true;
            }
            elements = elements[(1 + length)..];
        }
        return false;
    }

    private static bool TryFindTwoByte(ReadOnlySpan<byte> elements, int id, out ReadOnlySpan<byte> value)
    {
        value = default;
        while (!elements.IsEmpty)
        {
            if (elements[0] == 0)
            {
                elements = elements[1..];
                continue;
            }
            if (elements.Length < 2 || elements.Length < 2 + elements[1])
                return false;
            if (elements[0] == id)
            {
                value = elements.Slice(2, elements[1]);
                return true;
            }
            elements = elements[(2 + elements[1])..];
        }
        return false;
    }
}
