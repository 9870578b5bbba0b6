using System.Buffers.Binary;
using System.Security.Cryptography;

namespace VoiceGrains.WebRtc.Stun;

/// <summary>The two checksums of a message: MESSAGE-INTEGRITY (RFC 8489 §14.5) and FINGERPRINT (§14.7).</summary>
internal static class StunChecksum
{
    private const uint FingerprintMask = 0x5354554E;
    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>HMAC-SHA1 over the message before the attribute at <paramref name="offset"/>, with the length that it has when it ends behind that attribute.</summary>
    public static void Integrity(ReadOnlySpan<byte> message, int offset, ReadOnlySpan<byte> key, Span<byte> hmac)
    {
        Span<byte> covered = stackalloc byte[offset];   // a copy: the length differs, and the message is not ours to change
        message[..offset].CopyTo(covered);
        BinaryPrimitives.WriteUInt16BigEndian(covered[2..], LengthThrough(offset, StunFormat.IntegrityLength));
        HMACSHA1.HashData(key, covered, hmac);
    }

    /// <summary>CRC-32 over the message before the attribute at <paramref name="offset"/>, XORed with "STUN".</summary>
    public static uint Fingerprint(ReadOnlySpan<byte> message, int offset)
    {
        var crc = uint.MaxValue;
        crc = Crc(crc, message[..2]);
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, LengthThrough(offset, sizeof(uint)));
        crc = Crc(crc, length);
        crc = Crc(crc, message[4..offset]);
        return ~crc ^ FingerprintMask;
    }

    private static ushort LengthThrough(int offset, int valueLength)
        => (ushort)(offset - StunFormat.HeaderLength + StunFormat.AttributeHeaderLength + valueLength);

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeCrcTable()   // ITU-T V.42, reflected
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            table[i] = crc;
        }
        return table;
    }
}
