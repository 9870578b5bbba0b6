using System.Buffers.Binary;
using System.Security.Cryptography;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Srtp;

/// <summary>SRTP of one direction spelt out from RFC 3711 and RFC 7714 on .NET's own AES, to compare with. Itself held to the RFCs' vectors.</summary>
internal sealed class ReferenceSrtp
{
    private readonly SrtpProfile _profile;
    private readonly SessionKeys _rtp;
    private readonly SessionKeys _rtcp;

    public ReferenceSrtp(SrtpProfile profile, byte[] key, byte[] salt)
    {
        _profile = profile;
        _rtp = SessionKeys.Derive(key, salt, firstLabel: 0);
        _rtcp = SessionKeys.Derive(key, salt, firstLabel: 3);
    }

    /// <param name="rollover">How often the sequence number wrapped.</param>
    public byte[] Protect(byte[] packet, uint rollover, int headerLength = 12)
    {
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(8));
        var index = ((ulong)rollover << 16) | BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2));
        if (_profile != SrtpProfile.Aes128CmSha1_80)
            return [.. packet[..headerLength], .. Gcm(_rtp, ssrc, index, packet[..headerLength], packet[headerLength..])];
        byte[] encrypted = [.. packet[..headerLength], .. CounterMode(_rtp, ssrc, index, packet[headerLength..])];
        return [.. encrypted, .. Tag(_rtp, [.. encrypted, .. BigEndian(rollover)])];
    }

    public byte[] ProtectRtcp(byte[] packet, uint index)
    {
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(4));
        var trailer = BigEndian(0x8000_0000 | index);   // E bit: encrypted
        if (_profile != SrtpProfile.Aes128CmSha1_80)
            return [.. packet[..8], .. Gcm(_rtcp, ssrc, index, [.. packet[..8], .. trailer], packet[8..]), .. trailer];
        byte[] encrypted = [.. packet[..8], .. CounterMode(_rtcp, ssrc, index, packet[8..]), .. trailer];
        return [.. encrypted, .. Tag(_rtcp, encrypted)];
    }

    /// <summary>RFC 7714 §8.1: salt xor (00 00, SSRC, 48 bits of packet index).</summary>
    internal static byte[] Gcm(SessionKeys keys, uint ssrc, ulong index, byte[] associated, byte[] plain)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteUInt64BigEndian(nonce.AsSpan(4), index);
        BinaryPrimitives.WriteUInt32BigEndian(nonce.AsSpan(2), ssrc);
        for (var i = 0; i < nonce.Length; i++)
            nonce[i] ^= keys.Salt[i];
        var (cipher, tag) = (new byte[plain.Length], new byte[16]);
        using var aes = new AesGcm(keys.Key, tag.Length);
        aes.Encrypt(nonce, plain, cipher, tag, associated);
        return [.. cipher, .. tag];
    }

    /// <summary>RFC 3711 §4.1.1.</summary>
    private static byte[] CounterMode(SessionKeys keys, uint ssrc, ulong index, byte[] plain) => KeyStream(keys.Key, Counter(keys.Salt, ssrc, index), plain);

    private static byte[] Counter(byte[] salt, uint ssrc, ulong index)
    {
        var counter = new byte[16];
        salt.CopyTo(counter, 0);
        Span<byte> mask = stackalloc byte[16];
        mask.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(mask[6..], index);   // 48 bits: its upper 16 are zero, and the SSRC lies over them
        BinaryPrimitives.WriteUInt32BigEndian(mask[4..], ssrc);
        for (var i = 0; i < counter.Length; i++)
            counter[i] ^= mask[i];
        return counter;
    }

    private static byte[] KeyStream(byte[] key, byte[] counter, byte[] plain)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var result = (byte[])plain.Clone();
        for (var block = 0; block * 16 < plain.Length; block++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(counter.AsSpan(14), (ushort)block);
            var stream = aes.EncryptEcb(counter, PaddingMode.None);
            for (var i = 0; i < 16 && block * 16 + i < plain.Length; i++)
                result[block * 16 + i] ^= stream[i];
        }
        return result;
    }

    private static byte[] Tag(SessionKeys keys, byte[] message) => HMACSHA1.HashData(keys.Auth, message)[..10];

    private static byte[] BigEndian(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    internal sealed record SessionKeys(byte[] Key, byte[] Salt, byte[] Auth)
    {
        /// <summary>RFC 3711 §4.3.1 and §4.3.3, with a key derivation rate of 0.</summary>
        public static SessionKeys Derive(byte[] masterKey, byte[] masterSalt, byte firstLabel)
            => new(Derive(masterKey, masterSalt, firstLabel, masterKey.Length), Derive(masterKey, masterSalt, (byte)(firstLabel + 2), masterSalt.Length),
                Derive(masterKey, masterSalt, (byte)(firstLabel + 1), 20));

        private static byte[] Derive(byte[] masterKey, byte[] masterSalt, byte label, int length)
        {
            var counter = new byte[16];
            masterSalt.CopyTo(counter, 0);   // a salt of 96 bits counts as one of 112 with zeroes behind (RFC 7714 §11)
            counter[7] ^= label;
            return KeyStream(masterKey, counter, new byte[length]);
        }
    }
}
