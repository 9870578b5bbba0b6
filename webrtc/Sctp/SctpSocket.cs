using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>One usrsctp socket over a connection address of its own. Closing it sends ABORT and withdraws the address.</summary>
internal sealed unsafe class SctpSocket() : SafeHandle(0, ownsHandle: true)
{
    /// <summary>The port that both ends of a WebRTC association use (RFC 8841 §5 lets them agree on it in SDP).</summary>
    internal const ushort Port = 5000;

    internal const int Already = 114;
    internal const int WouldBlock = 11;

    private const int CommonHeaderBytes = 12;
    private nint _address;

    internal nint Address => _address;

    public override bool IsInvalid => handle == 0;

    /// <summary>Opens and configures the socket; nothing is sent before <see cref="Connect"/>.</summary>
    /// <exception cref="InvalidOperationException">The library refused a call: a lack of memory, or a mistake here.</exception>
    internal static SctpSocket Open(nint address, SctpOptions options)
    {
        var socket = new SctpSocket { _address = address };
        UsrSctp.RegisterAddress(address);
        socket.SetHandle(UsrSctp.OpenSocket(UsrSctp.AddressFamily, UsrSctp.StreamSocket, UsrSctp.Protocol, 0, 0, 0, 0));
        if (socket.IsInvalid)
        {
            UsrSctp.DeregisterAddress(address);
            throw Failure("usrsctp_socket");
        }
        try
        {
            socket.Configure(options);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends INIT. The answer arrives as a notification.</summary>
    internal void Connect(SctpOptions options)
    {
        const int InProgress = 115;
        var peer = Endpoint();
        if (UsrSctp.Connect(this, &peer, (uint)sizeof(UsrSctp.ConnectionAddress)) < 0 && Marshal.GetLastPInvokeError() is not InProgress)
            throw Failure("usrsctp_connect");
        // Only now does the path exist whose packet size is set. The size excludes the common header.
        var path = new PathParameters
        {
            Address = new() { Connection = peer },
            HeartbeatMilliseconds = (uint)options.HeartbeatInterval.TotalMilliseconds,
            PacketBytes = (uint)(options.MaxPacketBytes - CommonHeaderBytes),
            Flags = PathParameters.HeartbeatOn | PathParameters.DiscoveryOff,
            MaxRetransmissions = (ushort)options.MaxRetransmissions,
        };
        Set<PathParameters>(UsrSctp.Protocol, 0x0a, [path]);
    }

    internal void Input(ReadOnlySpan<byte> packet)
    {
        fixed (byte* start = packet)
            UsrSctp.Input(_address, start, (nuint)packet.Length, 0);
    }

    /// <summary>0, or the error number of a refusal: EWOULDBLOCK while the send buffer has no room for the whole message.</summary>
    internal int Send(ReadOnlySpan<byte> message, UsrSctp.SendAttributes attributes)
    {
        fixed (byte* start = message)
        {
            var sent = UsrSctp.Send(
                this, start, (nuint)message.Length, null, 0, &attributes, (uint)sizeof(UsrSctp.SendAttributes), UsrSctp.SendAttributesType, 0);
            return sent < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }

    /// <summary>Bytes of one message or notification, or of the part that fills <paramref name="buffer"/>; less than 0: none waits, or the socket is dead.</summary>
    internal int Receive(Span<byte> buffer, out UsrSctp.ReceiveInfo info, out int flags)
    {
        UsrSctp.AddressStorage from;
        var (fromLength, infoLength, infoType) = ((uint)sizeof(UsrSctp.AddressStorage), (uint)sizeof(UsrSctp.ReceiveInfo), 0u);
        UsrSctp.ReceiveInfo received = default;
        var receivedFlags = 0;
        nint length;
        fixed (byte* start = buffer)
            length = UsrSctp.Receive(this, start, (nuint)buffer.Length, &from, &fromLength, &received, &infoLength, &infoType, &receivedFlags);
        (info, flags) = (received, receivedFlags);
        return (int)length;
    }

    internal bool HasEvents() => (UsrSctp.Events(this) & UsrSctp.ReadableEvent) != 0;

    /// <summary>Asks for outgoing streams to be reset (RFC 6525). 0, or an error number: <see cref="Already"/> while another request is on its way.</summary>
    internal int Reset(ReadOnlySpan<ushort> streams)
    {
        const ushort Outgoing = 2;
        var request = stackalloc ushort[4 + streams.Length];
        (request[0], request[1], request[2], request[3]) = (0, 0, Outgoing, (ushort)streams.Length);
        streams.CopyTo(new Span<ushort>(request + 4, streams.Length));
        return UsrSctp.SetOption(this, UsrSctp.Protocol, 0x901, request, (uint)(sizeof(ushort) * (4 + streams.Length))) < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    protected override bool ReleaseHandle()
    {
        UsrSctp.Close(handle);
        UsrSctp.DeregisterAddress(_address);
        return true;
    }

    private void Configure(SctpOptions options)
    {
        if (UsrSctp.SetNonBlocking(this, 1) < 0)
            throw Failure("usrsctp_set_non_blocking");
        const int SocketLevel = 1;
        const uint AllAssociations = 2;
        Set<uint>(SocketLevel, 13, [1u, 0]);                                        // SO_LINGER: closing aborts, at once
        Set<uint>(SocketLevel, 7, [(uint)options.SendBufferBytes]);
        Set<uint>(SocketLevel, 8, [(uint)options.ReceiveBufferBytes]);
        Set<uint>(UsrSctp.Protocol, 0x04, [1u]);                                    // SCTP_NODELAY: messages are not held back
        Set<uint>(UsrSctp.Protocol, 0x1f, [1u]);                                    // SCTP_RECVRCVINFO
        Set<uint>(UsrSctp.Protocol, 0x10, [0u]);                                    // SCTP_FRAGMENT_INTERLEAVE: one message at a time
        Set<uint>(UsrSctp.Protocol, 0x11, [(uint)options.MaxMessageBytes + 1]);     // SCTP_PARTIAL_DELIVERY_POINT: only what is too long
        Set<uint>(UsrSctp.Protocol, 0x900, [AllAssociations, 1u]);                  // SCTP_ENABLE_STREAM_RESET
        var streams = (ushort)options.StreamCount;
        Set<ushort>(UsrSctp.Protocol, 0x03, [                                       // SCTP_INITMSG
            streams, streams, (ushort)options.MaxInitAttempts, (ushort)options.MaxRetransmissionTimeout.TotalMilliseconds]);
        Set<uint>(UsrSctp.Protocol, 0x01, [                                         // SCTP_RTOINFO
            0u, (uint)options.InitialRetransmissionTimeout.TotalMilliseconds,
            (uint)options.MaxRetransmissionTimeout.TotalMilliseconds, (uint)options.MinRetransmissionTimeout.TotalMilliseconds]);
        Set<uint>(UsrSctp.Protocol, 0x02, [0u, 0, 0, 0, (uint)options.MaxRetransmissions]);  // SCTP_ASSOCINFO; the last word holds two fields
        foreach (var type in (ReadOnlySpan<ushort>)[SctpNotification.AssociationChange, SctpNotification.PartialDelivery, SctpNotification.StreamReset])
            Set<uint>(UsrSctp.Protocol, 0x1e, [AllAssociations, type | (1u << 16)]);        // SCTP_EVENT: type and on
        var local = Endpoint();
        if (UsrSctp.Bind(this, &local, (uint)sizeof(UsrSctp.ConnectionAddress)) < 0)
            throw Failure("usrsctp_bind");
    }

    private UsrSctp.ConnectionAddress Endpoint() =>
        new() { Family = UsrSctp.AddressFamily, NetworkOrderPort = BinaryPrimitives.ReverseEndianness(Port), Address = _address };

    private void Set<T>(int level, int option, ReadOnlySpan<T> words)
        where T : unmanaged
    {
        fixed (T* value = words)
        {
            if (UsrSctp.SetOption(this, level, option, value, (uint)(sizeof(T) * words.Length)) < 0)
                throw Failure($"usrsctp_setsockopt 0x{option:x}");
        }
    }

    private static InvalidOperationException Failure(string call) => new($"{call} failed with error {Marshal.GetLastPInvokeError()}.");

    [StructLayout(LayoutKind.Sequential)]
    private struct PathParameters
    {
        internal const uint HeartbeatOn = 0x1;
        internal const uint DiscoveryOff = 0x10;

        internal UsrSctp.AddressStorage Address;
        internal uint Association;
        internal uint HeartbeatMilliseconds;
        internal uint PacketBytes;
        internal uint Flags;
        internal uint FlowLabel;
        internal ushort MaxRetransmissions;
        internal byte Dscp;
    }
}
