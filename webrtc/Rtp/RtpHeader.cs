using System.Buffers.Binary;
using System.Security.Cryptography;

namespace VoiceGrains.WebRtc.Rtp;

/// <summary>The header of a packet that we send (RFC 3550 §5.1): version 2, no contributing sources, no padding.</summary>
/// <param name="PayloadType">From 0 to 127, as the answer's SDP gave it.</param>
/// <param name="Timestamp">In units of the payload's clock.</param>
public readonly record struct RtpHeader(byte PayloadType, bool Marker, ushort Sequence, uint Timestamp, uint Ssrc)
{
    /// <summary>Length of the header without extensions.</summary>
    public const int Bytes = 12;

    internal const ushort OneByteProfile = 0xbede;

    /// <summary>
    /// Where a stream's numbers begin: at random, in the lower half (RFC 3711 §3.3.1). A receiver counts the wraps by itself. One that misses the first packets of a
    /// stream that begins just below 65,536 would count one too few, and take nothing of the stream for authentic ever after.
    /// </summary>
    public static ushort FirstSequence() => (ushort)RandomNumberGenerator.GetInt32(1 << 15);

    /// <summary>Writes the header. Returns its length; 0: <paramref name="buffer"/> is too small.</summary>
    public int Write(Span<byte> buffer)
    {
        if (buffer.Length < Bytes)
            return 0;
        buffer[0] = 0x80;
        buffer[1] = (byte)((Marker ? 0x80 : 0) | (PayloadType & 0x7f));
        BinaryPrimitives.WriteUInt16BigEndian(buffer[2..], Sequence);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], Timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[8..], Ssrc);
        return Bytes;
    }

    /// <summary>Writes the header with one extension in the one-byte form (RFC 8285 §4.2). Returns the length of both; 0: it does not fit.</summary>
    /// <param name="id">From 1 to 14.</param>
    /// <param name="value">From 1 to 16 bytes.</param>
    public int Write(Span<byte> buffer, int id, ReadOnlySpan<byte> value)
    {
        if (id is < 1 or > 14 || value.Length is < 1 or > 16)
            return 0;
        var words = (1 + value.Length + 3) / 4;
        var length = Bytes + 4 + (4 * words);
        if (buffer.Length < length || Write(buffer) == 0)
            return 0;
        buffer[0] |= 0x10;
        var extension = buffer[Bytes..length];
        extension.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(extension, OneByteProfile);
        BinaryPrimitives.WriteUInt16BigEndian(extension[2..], (ushort)words);
        extension[4] = (byte)((id << 4) | (value.Length - 1));
        value.CopyTo(extension[5..]);
        return length;
    }
}
