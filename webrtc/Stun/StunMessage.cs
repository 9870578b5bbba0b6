using System.Buffers.Binary;
using System.Security.Cryptography;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Stun;

/// <summary>Reads one STUN message (RFC 8489 §5, §14) in place. Attributes that repeat count once; what follows MESSAGE-INTEGRITY is not believed.</summary>
internal ref struct StunMessage
{
    /// <summary>Unknown attributes that are told back in a 420; the rest is left out.</summary>
    public const int MaxUnknownAttributes = 4;

    private readonly ReadOnlySpan<byte> _message;
    private int _integrity;     // offset of the attribute; 0: absent
    private int _fingerprint;
    private int _xorMappedAddress;
    private int _mappedAddress;
    private int _unknownCount;
    private ulong _unknown;     // four types of 16 bits

    private StunMessage(ReadOnlySpan<byte> message)
    {
        _message = message;
        var type = BinaryPrimitives.ReadUInt16BigEndian(message);
        Class = (StunClass)(((type >> 7) & 2) | ((type >> 4) & 1));
        Method = (ushort)((type & 0x000F) | ((type >> 1) & 0x0070) | ((type >> 2) & 0x0F80));
    }

    public StunClass Class { get; }

    public ushort Method { get; }

    public readonly ReadOnlySpan<byte> TransactionId => _message.Slice(8, StunFormat.TransactionIdLength);

    /// <summary>Bytes of the whole message.</summary>
    public readonly int Length => _message.Length;

    /// <summary>Bytes of USERNAME; empty when absent.</summary>
    public ReadOnlySpan<byte> Username { get; private set; }

    public ReadOnlySpan<byte> Realm { get; private set; }

    public ReadOnlySpan<byte> Nonce { get; private set; }

    public ReadOnlySpan<byte> Software { get; private set; }

    /// <summary>PRIORITY: of the peer-reflexive candidate that this check would make (RFC 8445 §7.1.1).</summary>
    public uint? Priority { get; private set; }

    public bool UseCandidate { get; private set; }

    /// <summary>Tie-breaker of an agent that believes to be controlling.</summary>
    public ulong? IceControlling { get; private set; }

    /// <summary>Tie-breaker of an agent that believes to be controlled.</summary>
    public ulong? IceControlled { get; private set; }

    /// <summary>300 to 699 of an ERROR-CODE; 0 when absent.</summary>
    public int ErrorCode { get; private set; }

    public readonly bool HasIntegrity => _integrity != 0;

    public readonly bool HasFingerprint => _fingerprint != 0;

    /// <summary>Attributes that must be understood and are not, at most <see cref="MaxUnknownAttributes"/>.</summary>
    public readonly int UnknownAttributeCount => _unknownCount;

    public readonly ushort UnknownAttribute(int index) => (ushort)(_unknown >> (16 * index));

    /// <summary>Reads <paramref name="datagram"/>, which must hold one whole message and nothing else.</summary>
    /// <param name="datagram">Untrusted bytes. Nothing is copied.</param>
    /// <param name="message">The message when the result is <see langword="true"/>; neither checksum is verified yet.</param>
    /// <param name="error">The first fault otherwise. The method itself never throws.</param>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out StunMessage message, out StunError error)
    {
        message = default;
        error = default;
        if (datagram.Length < StunFormat.HeaderLength)
            return Fail(StunFault.TooShort, 0, StunFormat.HeaderLength, datagram.Length, out error);
        if (datagram.Length > StunFormat.MaxLength)
            return Fail(StunFault.TooLong, 0, StunFormat.MaxLength, datagram.Length, out error);
        if (datagram[0] >> 6 != 0)
            return Fail(StunFault.NotStun, 0, 0, datagram[0] >> 6, out error);
        if (BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) != StunFormat.MagicCookie)
            return Fail(StunFault.WrongCookie, 4, 0, 0, out error);
        var length = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        if (length % 4 != 0 || length != datagram.Length - StunFormat.HeaderLength)
            return Fail(StunFault.WrongLength, 2, length, datagram.Length - StunFormat.HeaderLength, out error);

        message = new StunMessage(datagram);
        return message.ReadAttributes(out error);
    }

    /// <summary>True when FINGERPRINT is there and right.</summary>
    public readonly bool HasValidFingerprint()
        => HasFingerprint && BinaryPrimitives.ReadUInt32BigEndian(_message[(_fingerprint + 4)..]) == StunChecksum.Fingerprint(_message, _fingerprint);

    /// <summary>True when MESSAGE-INTEGRITY is there and made with <paramref name="key"/>. Compares in constant time.</summary>
    public readonly bool HasValidIntegrity(ReadOnlySpan<byte> key)
    {
        if (!HasIntegrity)
            return false;
        Span<byte> expected = stackalloc byte[StunFormat.IntegrityLength];
        StunChecksum.Integrity(_message, _integrity, key, expected);
        return CryptographicOperations.FixedTimeEquals(expected, _message.Slice(_integrity + 4, StunFormat.IntegrityLength));
    }

    /// <summary>Reads XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of an old server (RFC 8489 §14.1, §14.2).</summary>
    public readonly bool TryGetMappedAddress(out TransportAddress address)
    {
        address = default;
        var offset = _xorMappedAddress != 0 ? _xorMappedAddress : _mappedAddress;
        if (offset == 0)
            return false;
        var length = _message[offset + 5] == 2 ? 16 : 4;   // size and family were checked while reading
        var port = BinaryPrimitives.ReadUInt16BigEndian(_message[(offset + 6)..]);
        Span<byte> bytes = stackalloc byte[length];
        _message.Slice(offset + 8, length).CopyTo(bytes);
        if (_xorMappedAddress != 0)
        {
            port ^= (ushort)(StunFormat.MagicCookie >> 16);
            for (var i = 0; i < length; i++)
                bytes[i] ^= _message[4 + i];    // cookie, then transaction id
        }
        address = TransportAddress.FromBytes(bytes, port);
        return true;
    }

    private bool ReadAttributes(out StunError error)
    {
        error = default;
        for (var offset = StunFormat.HeaderLength; offset < _message.Length;)
        {
            if (_fingerprint != 0)
                return Fail(StunFault.AfterFingerprint, offset, 0, _message.Length - offset, out error);
            var type = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(_message[offset..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(_message[(offset + 2)..]);   // in range: the rest is a multiple of 4
            var start = offset + StunFormat.AttributeHeaderLength;
            if (length > _message.Length - start)
                return Fail(StunFault.AttributeCutOff, offset, length, _message.Length - start, out error);
            if ((_integrity == 0 || type == StunAttributeType.Fingerprint) && !Read(type, offset, _message.Slice(start, length)))
                return Fail(StunFault.AttributeSize, offset, 0, length, out error);
            offset = start + ((length + 3) & ~3);
        }
        return true;
    }

    /// <summary>Takes one attribute; <see langword="false"/> when its value cannot be one of its type.</summary>
    private bool Read(StunAttributeType type, int offset, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case StunAttributeType.Username:
                Username = Username.IsEmpty ? value : Username;
                return value.Length is > 0 and <= StunFormat.MaxUsernameLength;
            case StunAttributeType.MessageIntegrity:
                _integrity = offset;
                return value.Length == StunFormat.IntegrityLength;
            case StunAttributeType.Fingerprint:
                _fingerprint = offset;
                return value.Length == sizeof(uint);
            case StunAttributeType.XorMappedAddress:
                _xorMappedAddress = _xorMappedAddress == 0 ? offset : _xorMappedAddress;
                return IsAddress(value);
            case StunAttributeType.MappedAddress:
                _mappedAddress = _mappedAddress == 0 ? offset : _mappedAddress;
                return IsAddress(value);
            case StunAttributeType.Priority when value.Length == sizeof(uint):
                Priority ??= BinaryPrimitives.ReadUInt32BigEndian(value);
                return true;
            case StunAttributeType.IceControlling when value.Length == sizeof(ulong):
                IceControlling ??= BinaryPrimitives.ReadUInt64BigEndian(value);
                return true;
            case StunAttributeType.IceControlled when value.Length == sizeof(ulong):
                IceControlled ??= BinaryPrimitives.ReadUInt64BigEndian(value);
                return true;
            case StunAttributeType.Priority or StunAttributeType.IceControlling or StunAttributeType.IceControlled:
                return false;
            case StunAttributeType.UseCandidate:
                UseCandidate = true;
                return value.IsEmpty;
            case StunAttributeType.ErrorCode:
                return ReadErrorCode(value);
            case StunAttributeType.Realm:
                Realm = Realm.IsEmpty ? value : Realm;
                return true;
            case StunAttributeType.Nonce:
                Nonce = Nonce.IsEmpty ? value : Nonce;
                return true;
            case StunAttributeType.Software:
                Software = Software.IsEmpty ? value : Software;
                return true;
            case StunAttributeType.UnknownAttributes or StunAttributeType.MessageIntegritySha256:
                return true;   // known, and nothing here needs them
            default:
                NoteUnknown(type);
                return true;
        }
    }

    private bool ReadErrorCode(ReadOnlySpan<byte> value)
    {
        if (value.Length < 4 || (value[2] & 7) is < 3 or > 6 || value[3] > 99)
            return false;
        ErrorCode = ErrorCode == 0 ? 100 * (value[2] & 7) + value[3] : ErrorCode;
        return true;
    }

    private void NoteUnknown(StunAttributeType type)
    {
        if ((ushort)type < 0x8000 && _unknownCount < MaxUnknownAttributes)
            _unknown |= (ulong)type << (16 * _unknownCount++);
    }

    private static bool IsAddress(ReadOnlySpan<byte> value) => value is [_, 1, ..] and { Length: 8 } or [_, 2, ..] and { Length: 20 };

    private static bool Fail(StunFault fault, int offset, int needed, int available, out StunError error)
    {
        error = new StunError(fault, offset, needed, available);
        return false;
    }
}
