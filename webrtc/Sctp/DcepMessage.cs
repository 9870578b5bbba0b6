using System.Buffers.Binary;
using System.Text;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>DATA_CHANNEL_OPEN and DATA_CHANNEL_ACK of the Data Channel Establishment Protocol (RFC 8832 §5).</summary>
internal static class DcepMessage
{
    internal const byte Ack = 0x02;
    internal const byte Open = 0x03;

    private const int OpenHeaderBytes = 12;
    private const byte Unordered = 0x80;
    private const byte ReliableType = 0;
    private const byte RetransmitType = 1;
    private const byte LifetimeType = 2;
    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Reads an OPEN. False: cut off, too long by one byte or more, of an unknown type, or with names that are too long or not UTF-8.</summary>
    internal static bool TryReadOpen(ReadOnlySpan<byte> message, out string label, out DataChannelOptions options)
    {
        (label, options) = ("", DataChannelOptions.Reliable);
        if (message.Length < OpenHeaderBytes || message[0] != Open)
            return false;
        var type = message[1];
        if ((type & ~Unordered) > LifetimeType)
            return false;
        var value = BinaryPrimitives.ReadUInt32BigEndian(message[4..]);
        int labelBytes = BinaryPrimitives.ReadUInt16BigEndian(message[8..]), protocolBytes = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        if (Math.Max(labelBytes, protocolBytes) > DataChannelOptions.MaxNameBytes || message.Length != OpenHeaderBytes + labelBytes + protocolBytes)
            return false;
        if (!TryReadName(message.Slice(OpenHeaderBytes, labelBytes), out label) || !TryReadName(message[(OpenHeaderBytes + labelBytes)..], out var protocol))
            return false;
        options = new DataChannelOptions(
            (type & Unordered) == 0,
            (type & ~Unordered) == RetransmitType ? value : null,
            (type & ~Unordered) == LifetimeType ? TimeSpan.FromMilliseconds(value) : null,
            protocol);
        return true;
    }

    /// <summary>The OPEN for a channel. Its priority is "normal" (RFC 8831 §6.4).</summary>
    /// <exception cref="ArgumentException">A name is too long or not Unicode, or both limits are set.</exception>
    internal static byte[] WriteOpen(string label, DataChannelOptions options)
    {
        if (options is { MaxRetransmits: not null, MaxLifetime: not null })
            throw new ArgumentException("A channel is limited by retransmissions or by lifetime, not by both.", nameof(options));
        int labelBytes = _strict.GetByteCount(label), protocolBytes = _strict.GetByteCount(options.Protocol);
        if (Math.Max(labelBytes, protocolBytes) > DataChannelOptions.MaxNameBytes)
            throw new ArgumentException($"A label or protocol has at most {DataChannelOptions.MaxNameBytes} bytes of UTF-8.", nameof(label));
        const ushort NormalPriority = 256;
        var message = new byte[OpenHeaderBytes + labelBytes + protocolBytes];
        var kind = options.MaxRetransmits is not null ? RetransmitType : options.MaxLifetime is not null ? LifetimeType : ReliableType;
        message[0] = Open;
        message[1] = (byte)(options.Ordered ? kind : kind | Unordered);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), NormalPriority);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), options.MaxRetransmits ?? Milliseconds(options.MaxLifetime));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(8), (ushort)labelBytes);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(10), (ushort)protocolBytes);
        _strict.GetBytes(label, message.AsSpan(OpenHeaderBytes));
        _strict.GetBytes(options.Protocol, message.AsSpan(OpenHeaderBytes + labelBytes));
        return message;
    }

    /// <summary>A lifetime as the wire and usrsctp count it.</summary>
    internal static uint Milliseconds(TimeSpan? lifetime) => (uint)Math.Clamp((lifetime ?? TimeSpan.Zero).TotalMilliseconds, 0, uint.MaxValue);

    private static bool TryReadName(ReadOnlySpan<byte> bytes, out string name)
    {
        var isText = System.Text.Unicode.Utf8.IsValid(bytes);
        name = isText ? Encoding.UTF8.GetString(bytes) : "";
        return isText;
    }
}
