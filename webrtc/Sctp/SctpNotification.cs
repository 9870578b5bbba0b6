using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>The notifications of usrsctp that an association follows. Written by the library on this machine: in host byte order.</summary>
internal static class SctpNotification
{
    internal const ushort AssociationChange = 0x0001;
    internal const ushort PartialDelivery = 0x0007;
    internal const ushort StreamReset = 0x0009;

    internal const ushort CommunicationUp = 1;
    internal const ushort CommunicationLost = 2;
    internal const ushort Restarted = 3;
    internal const ushort ShutdownComplete = 4;
    internal const ushort CannotStart = 5;

    internal const ushort IncomingReset = 0x1;
    internal const ushort OutgoingReset = 0x2;
    internal const ushort ResetRefused = 0x4 | 0x8;

    private const int HeaderBytes = 8;

    internal static ushort Type(ReadOnlySpan<byte> notification) => notification.Length < HeaderBytes ? (ushort)0 : MemoryMarshal.Read<ushort>(notification);

    internal static ushort Flags(ReadOnlySpan<byte> notification) => MemoryMarshal.Read<ushort>(notification[2..]);

    internal static string Explain(ushort state, ushort error) => state switch
    {
        CommunicationLost => $"The peer is lost or has aborted the association (cause {error}).",
        Restarted => "The peer restarted the association.",
        ShutdownComplete => "The peer shut the association down.",
        CannotStart => $"The association did not come up (cause {error}).",
        _ => $"The association ended in state {state}.",
    };

    /// <summary>State, the cause of a loss, and how many streams we may send on.</summary>
    internal static (ushort State, ushort Error, ushort OutgoingStreams) ReadAssociationChange(ReadOnlySpan<byte> notification)
    {
        if (notification.Length < 16)
            return default;
        var words = MemoryMarshal.Cast<byte, ushort>(notification[HeaderBytes..]);
        return (words[0], words[1], words[2]);
    }

    /// <summary>The streams that were reset; none means all.</summary>
    internal static ReadOnlySpan<ushort> ReadResetStreams(ReadOnlySpan<byte> notification) =>
        notification.Length < HeaderBytes + 4 ? default : MemoryMarshal.Cast<byte, ushort>(notification[(HeaderBytes + 4)..]);
}
