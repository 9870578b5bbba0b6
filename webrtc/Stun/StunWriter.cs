using System.Buffers.Binary;
using System.Text;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Stun;

/// <summary>Writes one STUN message (RFC 8489 §5) into a buffer of the caller's. A buffer that is too small is a bug and throws.</summary>
internal ref struct StunWriter
{
    private readonly Span<byte> _buffer;

    public StunWriter(Span<byte> buffer, StunClass messageClass, ushort method, ReadOnlySpan<byte> transactionId)
    {
        _buffer = buffer;
        var type = (method & 0x000F) | ((method & 0x0070) << 1) | ((method & 0x0F80) << 2) | (((int)messageClass & 1) << 4) | (((int)messageClass & 2) << 7);
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)type);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], StunFormat.MagicCookie);
        transactionId[..StunFormat.TransactionIdLength].CopyTo(buffer[8..]);
        Length = StunFormat.HeaderLength;
        WriteLength();
    }

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>The message so far; always whole.</summary>
    public readonly ReadOnlySpan<byte> Message => _buffer[..Length];

    public void AddUsername(ReadOnlySpan<byte> username) => username.CopyTo(Add(StunAttributeType.Username, username.Length));

    public void AddBytes(StunAttributeType type, ReadOnlySpan<byte> value) => value.CopyTo(Add(type, value.Length));

    public void AddPriority(uint priority) => BinaryPrimitives.WriteUInt32BigEndian(Add(StunAttributeType.Priority, sizeof(uint)), priority);

    public void AddUseCandidate() => Add(StunAttributeType.UseCandidate, 0);

    public void AddIceControlling(ulong tieBreaker) => BinaryPrimitives.WriteUInt64BigEndian(Add(StunAttributeType.IceControlling, sizeof(ulong)), tieBreaker);

    public void AddIceControlled(ulong tieBreaker) => BinaryPrimitives.WriteUInt64BigEndian(Add(StunAttributeType.IceControlled, sizeof(ulong)), tieBreaker);

    /// <summary>XOR-MAPPED-ADDRESS (RFC 8489 §14.2).</summary>
    public void AddXorMappedAddress(in TransportAddress address)
    {
        var value = Add(StunAttributeType.XorMappedAddress, 4 + address.AddressLength);
        value[0] = 0;
        value[1] = (byte)(address.IsIpv6 ? 2 : 1);
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], (ushort)(address.Port ^ (StunFormat.MagicCookie >> 16)));
        address.WriteAddress(value[4..]);
        for (var i = 4; i < value.Length; i++)
            value[i] ^= _buffer[i];   // cookie, then transaction id: both begin at 4
    }

    /// <summary>ERROR-CODE (RFC 8489 §14.8).</summary>
    /// <param name="code">300 to 699.</param>
    /// <param name="reason">ASCII.</param>
    public void AddErrorCode(int code, string reason)
    {
        var value = Add(StunAttributeType.ErrorCode, 4 + reason.Length);
        (value[0], value[1], value[2], value[3]) = (0, 0, (byte)(code / 100), (byte)(code % 100));
        Encoding.ASCII.GetBytes(reason, value[4..]);
    }

    /// <summary>UNKNOWN-ATTRIBUTES (RFC 8489 §14.9) with those that <paramref name="request"/> noted.</summary>
    public void AddUnknownAttributes(scoped in StunMessage request)
    {
        var value = Add(StunAttributeType.UnknownAttributes, 2 * request.UnknownAttributeCount);
        for (var i = 0; i < request.UnknownAttributeCount; i++)
            BinaryPrimitives.WriteUInt16BigEndian(value[(2 * i)..], request.UnknownAttribute(i));
    }

    /// <summary>MESSAGE-INTEGRITY over all that was added before.</summary>
    public void AddIntegrity(ReadOnlySpan<byte> key)
    {
        var offset = Length;
        var value = Add(StunAttributeType.MessageIntegrity, StunFormat.IntegrityLength);
        StunChecksum.Integrity(_buffer, offset, key, value);
    }

    /// <summary>FINGERPRINT, the last attribute.</summary>
    public void AddFingerprint()
    {
        var offset = Length;
        var value = Add(StunAttributeType.Fingerprint, sizeof(uint));
        BinaryPrimitives.WriteUInt32BigEndian(value, StunChecksum.Fingerprint(_buffer, offset));
    }

    private Span<byte> Add(StunAttributeType type, int length)
    {
        var padded = (length + 3) & ~3;
        var attribute = _buffer.Slice(Length, StunFormat.AttributeHeaderLength + padded);
        BinaryPrimitives.WriteUInt16BigEndian(attribute, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[2..], (ushort)length);
        attribute[(StunFormat.AttributeHeaderLength + length)..].Clear();
        Length += attribute.Length;
        WriteLength();
        return attribute.Slice(StunFormat.AttributeHeaderLength, length);
    }

    private readonly void WriteLength() => BinaryPrimitives.WriteUInt16BigEndian(_buffer[2..], (ushort)(Length - StunFormat.HeaderLength));
}
