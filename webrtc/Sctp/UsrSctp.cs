using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>The part of libusrsctp 0.9.5 (usrsctp.h) that carries data channels. Numbers in the structures are in host order unless said otherwise.</summary>
internal static unsafe partial class UsrSctp
{
    private const string Library = "libusrsctp.so.2";

    /// <summary>The socket level of every SCTP option.</summary>
    internal const int Protocol = 132;
    internal const int AddressFamily = 123;
    internal const int StreamSocket = 1;

    internal const int EndOfRecord = 0x80;
    internal const int Notification = 0x2000;
    internal const int ReadableEvent = 0x1;

    internal const uint ReceiveInfoType = 1;
    internal const uint SendAttributesType = 4;
    internal const uint SendInfoValid = 1;
    internal const uint ReliabilityInfoValid = 2;
    internal const ushort UnorderedFlag = 0x0400;

    /// <param name="udpPort">0: no UDP encapsulation of its own.</param>
    /// <param name="output">Called for each packet to send, on any thread that is inside the library, with its locks held.</param>
    [LibraryImport(Library, EntryPoint = "usrsctp_init_nothreads")]
    internal static partial void Initialize(ushort udpPort, delegate* unmanaged<nint, byte*, nuint, byte, byte, int> output, nint debugPrint);

    [LibraryImport(Library, EntryPoint = "usrsctp_handle_timers")]
    internal static partial void HandleTimers(uint elapsedMilliseconds);

    [LibraryImport(Library, EntryPoint = "usrsctp_register_address")]
    internal static partial void RegisterAddress(nint address);

    [LibraryImport(Library, EntryPoint = "usrsctp_deregister_address")]
    internal static partial void DeregisterAddress(nint address);

    [LibraryImport(Library, EntryPoint = "usrsctp_conninput")]
    internal static partial void Input(nint address, byte* packet, nuint length, byte ecn);

    [LibraryImport(Library, EntryPoint = "usrsctp_socket", SetLastError = true)]
    internal static partial nint OpenSocket(int domain, int type, int protocol, nint receive, nint send, uint threshold, nint context);

    [LibraryImport(Library, EntryPoint = "usrsctp_close")]
    internal static partial void Close(nint socket);

    [LibraryImport(Library, EntryPoint = "usrsctp_set_non_blocking", SetLastError = true)]
    internal static partial int SetNonBlocking(SctpSocket socket, int on);

    [LibraryImport(Library, EntryPoint = "usrsctp_setsockopt", SetLastError = true)]
    internal static partial int SetOption(SctpSocket socket, int level, int option, void* value, uint length);

    [LibraryImport(Library, EntryPoint = "usrsctp_bind", SetLastError = true)]
    internal static partial int Bind(SctpSocket socket, ConnectionAddress* address, uint length);

    [LibraryImport(Library, EntryPoint = "usrsctp_connect", SetLastError = true)]
    internal static partial int Connect(SctpSocket socket, ConnectionAddress* address, uint length);

    [LibraryImport(Library, EntryPoint = "usrsctp_get_events")]
    internal static partial int Events(SctpSocket socket);

    [LibraryImport(Library, EntryPoint = "usrsctp_sendv", SetLastError = true)]
    internal static partial nint Send(
        SctpSocket socket, byte* data, nuint length, void* to, int addresses, SendAttributes* info, uint infoLength, uint infoType, int flags);

    [LibraryImport(Library, EntryPoint = "usrsctp_recvv", SetLastError = true)]
    internal static partial nint Receive(
        SctpSocket socket, byte* data, nuint length, AddressStorage* from, uint* fromLength, ReceiveInfo* info, uint* infoLength, uint* infoType, int* flags);

    [LibraryImport(Library, EntryPoint = "usrsctp_sysctl_set_sctp_ecn_enable")]
    internal static partial int EnableEcn(uint on);

    [LibraryImport(Library, EntryPoint = "usrsctp_sysctl_set_sctp_asconf_enable")]
    internal static partial int EnableAddressChanges(uint on);

    [LibraryImport(Library, EntryPoint = "usrsctp_sysctl_set_sctp_auto_asconf")]
    internal static partial int EnableAutomaticAddressChanges(uint on);

    [LibraryImport(Library, EntryPoint = "usrsctp_sysctl_set_sctp_auth_enable")]
    internal static partial int EnableAuthentication(uint on);

    [LibraryImport(Library, EntryPoint = "usrsctp_sysctl_set_sctp_blackhole")]
    internal static partial int SetBlackhole(uint value);

    [LibraryImport(Library, EntryPoint = "usrsctp_sysctl_set_sctp_initial_cwnd")]
    internal static partial int SetInitialWindow(uint packets);

    /// <summary>struct sockaddr_conn: an address that means only what the two ends of the association mean by it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ConnectionAddress
    {
        internal ushort Family;
        internal ushort NetworkOrderPort;
        internal nint Address;
    }

    /// <summary>struct sockaddr_storage.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    internal struct AddressStorage
    {
        internal ConnectionAddress Connection;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ReceiveInfo
    {
        internal ushort Stream;
        internal ushort StreamSequence;
        internal ushort Flags;
        internal uint NetworkOrderProtocol;
        internal uint Tsn;
        internal uint CumulativeTsn;
        internal uint Context;
        internal uint Association;
    }

    /// <summary>struct sctp_sendv_spa: stream, flags, payload protocol and partial reliability of one message.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct SendAttributes
    {
        internal uint Valid;
        internal ushort Stream;
        internal ushort Flags;
        internal uint NetworkOrderProtocol;
        internal uint Context;
        internal uint Association;
        internal ushort ReliabilityPolicy;
        internal uint ReliabilityValue;
        internal ushort KeyNumber;
    }
}
