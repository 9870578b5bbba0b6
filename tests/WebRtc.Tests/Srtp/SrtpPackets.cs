using System.Buffers.Binary;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Srtp;

/// <summary>Packets for tests, and the calls of a session as functions from packet to packet (null: refused).</summary>
internal static class SrtpPackets
{
    private delegate bool Call(Span<byte> buffer, ref int length);

    public static byte[] Rtp(ushort sequence, int payloadLength, uint ssrc)
    {
        var packet = new byte[12 + payloadLength];
        (packet[0], packet[1]) = (0x80, 111);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), 960u * sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), ssrc);
        packet.AsSpan(12).Fill((byte)sequence);
        return packet;
    }

    /// <summary>A sender report with so many 32-bit words behind its SSRC.</summary>
    public static byte[] Rtcp(int words, uint ssrc)
    {
        var packet = new byte[8 + 4 * words];
        (packet[0], packet[1], packet[3]) = (0x80, 200, (byte)(1 + words));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), ssrc);
        return packet;
    }

    public static byte[]? Protect(SrtpSession session, byte[] packet) => Run(session.Protect, packet, SrtpSession.MaxTrailer);

    public static byte[]? ProtectRtcp(SrtpSession session, byte[] packet) => Run(session.ProtectRtcp, packet, SrtpSession.MaxTrailer);

    public static byte[]? Unprotect(SrtpSession session, byte[] packet) => Run(session.Unprotect, packet, 0);

    public static byte[]? UnprotectRtcp(SrtpSession session, byte[] packet) => Run(session.UnprotectRtcp, packet, 0);

    private static byte[]? Run(Call call, byte[] packet, int room)
    {
        byte[] buffer = [.. packet, .. new byte[room]];
        var length = packet.Length;
        return call(buffer, ref length) ? buffer[..length] : null;
    }
}
