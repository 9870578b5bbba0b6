using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>
/// sendto(2) itself. <see cref="Socket"/> reports a full buffer or a vanished route by an exception for each datagram; here it is a number, since a silo
/// whose network is gone still paces the audio of all its calls.
/// </summary>
internal static partial class NativeUdp
{
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int Interrupted = 4;
    private const int Again = 11;
    private const int NoBuffers = 105;

    /// <summary>Sends without waiting. Neither allocates nor throws, also when the socket is closed meanwhile.</summary>
    /// <returns>Null when sent.</returns>
    public static DropReason? Send(SafeSocketHandle socket, ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> address)
    {
        try
        {
            while (SendTo(socket, datagram, (nuint)datagram.Length, DontWait | NoSignal, address, (uint)address.Length) < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error != Interrupted)
                    return error is Again or NoBuffers ? DropReason.SocketFull : DropReason.Unreachable;
            }
            return null;
        }
        catch (ObjectDisposedException)
        {
            return DropReason.Unreachable;
        }
    }

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    private static partial nint SendTo(SafeHandle socket, ReadOnlySpan<byte> data, nuint length, int flags, ReadOnlySpan<byte> address, uint addressLength);
}
