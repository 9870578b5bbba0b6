using System.Runtime.InteropServices;
using static VoiceGrains.WebRtc.Dtls.OpenSsl;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>
/// The BIO between OpenSSL and a transport. Each read is one whole datagram and each write becomes one: a memory BIO would run them together, and OpenSSL
/// has none for datagrams before 3.2.
/// </summary>
internal static unsafe class DatagramBio
{
    private const int SourceSink = 0x0400;
    private const int ReadAgain = 0x01 | 0x08;         // BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY
    private const int Flush = 11, QueryMtu = 40, GetFallbackMtu = 47;

    /// <summary>Made once; OpenSSL keeps pointers to it for as long as there is a BIO.</summary>
    private static readonly nint Method = CreateMethod();

    /// <param name="owner">The handle that <see cref="ConnectionHandle.Bind"/> gave.</param>
    internal static nint Create(nint owner)
    {
        var bio = BioNew(Method);
        if (bio == 0)
            throw new OutOfMemoryException("OpenSSL could not make a BIO.");
        BioSetData(bio, owner);
        BioSetInit(bio, 1);
        return bio;
    }

    private static nint CreateMethod()
    {
        var method = BioMethodNew(BioNewIndex() | SourceSink, "datagrams");
        if (method == 0)
            throw new OutOfMemoryException("OpenSSL could not make a BIO method.");
        BioMethodSetRead(method, &OnRead);
        BioMethodSetWrite(method, &OnWrite);
        BioMethodSetControl(method, &OnControl);
        return method;
    }

    private static DtlsTransport? TransportOf(nint bio) => GCHandle.FromIntPtr(BioGetData(bio)).Target as DtlsTransport;

    [UnmanagedCallersOnly]
    private static int OnRead(nint bio, byte* buffer, int length)
    {
        BioClearFlags(bio, ReadAgain);
        var read = TransportOf(bio)?.TakeDatagram(new Span<byte>(buffer, length)) ?? 0;
        if (read > 0)
            return read;
        BioSetFlags(bio, ReadAgain);
        return -1;
    }

    [UnmanagedCallersOnly]
    private static int OnWrite(nint bio, byte* buffer, int length)
    {
        TransportOf(bio)?.PutDatagram(new ReadOnlySpan<byte>(buffer, length));
        return length;                                 // what cannot be sent is lost, as datagrams are
    }

    [UnmanagedCallersOnly]
    private static long OnControl(nint bio, int command, long number, void* pointer) => command switch
    {
        Flush => 1,
        QueryMtu or GetFallbackMtu => DtlsContext.Mtu,
        _ => 0,
    };
}
