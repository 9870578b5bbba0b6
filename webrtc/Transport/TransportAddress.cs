using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>
/// An IP address with a port, as a value: the key by which datagrams find their call without boxing or allocation.
/// Made from the bytes of Linux' <c>sockaddr_in</c> and <c>sockaddr_in6</c>.
/// </summary>
internal readonly struct TransportAddress : IEquatable<TransportAddress>
{
    private const int Ipv4Family = 2;
    private const int Ipv6Family = 10;

    private readonly ulong _high;   // of IPv6; zero for IPv4
    private readonly ulong _low;
    private readonly uint _scope;   // of link-local IPv6

    private TransportAddress(ulong high, ulong low, uint scope, ushort port, bool isIpv6)
        => (_high, _low, _scope, Port, IsIpv6) = (high, low, scope, port, isIpv6);

    public ushort Port { get; }

    public bool IsIpv6 { get; }

    /// <summary>Bytes of the address alone: 4 or 16.</summary>
    public int AddressLength => IsIpv6 ? 16 : 4;

    /// <summary>Reads a socket address.</summary>
    /// <returns><see langword="false"/>: neither IPv4 nor IPv6, or too short.</returns>
    public static bool TryRead(ReadOnlySpan<byte> socketAddress, out TransportAddress address)
    {
        address = default;
        if (socketAddress.Length < 16)
            return false;
        var family = MemoryMarshal.Read<ushort>(socketAddress);
        var port = BinaryPrimitives.ReadUInt16BigEndian(socketAddress[2..]);
        if (family == Ipv4Family)
        {
            address = new TransportAddress(0, BinaryPrimitives.ReadUInt32BigEndian(socketAddress[4..]), 0, port, isIpv6: false);
            return true;
        }
        if (family != Ipv6Family || socketAddress.Length < 28)
            return false;
        var high = BinaryPrimitives.ReadUInt64BigEndian(socketAddress[8..]);
        var scope = MemoryMarshal.Read<uint>(socketAddress[24..]);
        address = new TransportAddress(high, BinaryPrimitives.ReadUInt64BigEndian(socketAddress[16..]), scope, port, isIpv6: true);
        return true;
    }

    /// <summary>Reads the 4 or 16 bytes of an address in network order.</summary>
    public static TransportAddress FromBytes(ReadOnlySpan<byte> address, ushort port) => address.Length == 4
        ? new TransportAddress(0, BinaryPrimitives.ReadUInt32BigEndian(address), 0, port, isIpv6: false)
        : new TransportAddress(BinaryPrimitives.ReadUInt64BigEndian(address), BinaryPrimitives.ReadUInt64BigEndian(address[8..]), 0, port, isIpv6: true);

    public static TransportAddress From(IPEndPoint endPoint)
        => TryRead(endPoint.Serialize().Buffer.Span, out var address) ? address : throw new ArgumentException("Neither IPv4 nor IPv6.", nameof(endPoint));

    /// <summary>Writes the 4 or 16 bytes of the address in network order.</summary>
    public void WriteAddress(Span<byte> destination)
    {
        if (!IsIpv6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
            return;
        }
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    public IPEndPoint ToEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteAddress(bytes);
        var address = IsIpv6 ? new IPAddress(bytes, _scope) : new IPAddress(bytes[..4]);
        return new IPEndPoint(address, Port);
    }

    public SocketAddress ToSocketAddress() => ToEndPoint().Serialize();

    public bool Equals(TransportAddress other)
        => _high == other._high && _low == other._low && _scope == other._scope && Port == other.Port && IsIpv6 == other.IsIpv6;

    public override bool Equals(object? obj) => obj is TransportAddress other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_high, _low, Port, _scope);

    public override string ToString() => ToEndPoint().ToString();
}
