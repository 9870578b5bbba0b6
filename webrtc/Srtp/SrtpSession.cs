using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Srtp;

/// <summary>Protects or opens the RTP and RTCP packets of one direction, in place (RFC 3711, RFC 7714), through libsrtp2.</summary>
/// <remarks>
/// One thread at a time uses a session; disposal may come from any thread and lets a call that is under way finish. Nothing is allocated per packet.
/// Whatever the bytes are, nothing throws: a packet that is refused is counted.
/// </remarks>
public sealed class SrtpSession : IDisposable
{
    /// <summary>Room in bytes that <see cref="Protect"/> and <see cref="ProtectRtcp"/> need behind the packet (SRTP_MAX_TRAILER_LEN).</summary>
    public const int MaxTrailer = 144;

    /// <summary>Packets that may arrive late, counted back from the newest of their stream, before they pass for a replay.</summary>
    internal const int ReplayWindow = 1024;

    /// <summary>
    /// Synchronization sources that one peer may use. A browser uses one for its receiver reports and another one each time that its microphone is published, which a page
    /// may do for every sentence of a long call.
    /// </summary>
    internal const int MaxSources = 1_024;

    private const int RtpHeader = 12;
    private const int RtcpHeader = 8;

    private readonly LibSrtp.SessionHandle _session;
    private uint[] _sources = [];
    private int _sourceCount;

    private SrtpSession(LibSrtp.SessionHandle session) => _session = session;

    /// <summary>Whether the library on this machine can do AES-GCM. Without it only <see cref="SrtpProfile.Aes128CmSha1_80"/> works.</summary>
    public static bool SupportsGcm => LibSrtp.HasGcm;

    /// <summary>Packets refused as not authentic or malformed.</summary>
    public long Refused { get; private set; }

    /// <summary>Packets refused as seen before, or too old to tell.</summary>
    public long Replayed { get; private set; }

    /// <summary>A session that opens what the peer sends, from any synchronization source.</summary>
    /// <exception cref="InvalidOperationException">The library cannot do the profile.</exception>
    /// <exception cref="ObjectDisposedException">The keys are gone already.</exception>
    public static SrtpSession Inbound(SrtpKeys keys) => new(LibSrtp.Create(keys.Profile, LibSrtp.AnyInbound, keys.Inbound, ReplayWindow));

    /// <summary>A session that protects what we send, from any synchronization source.</summary>
    /// <inheritdoc cref="Inbound"/>
    public static SrtpSession Outbound(SrtpKeys keys) => new(LibSrtp.Create(keys.Profile, LibSrtp.AnyOutbound, keys.Outbound, ReplayWindow));

    /// <summary>Encrypts and authenticates one RTP packet. A sequence number may be used once only: repeating one would give the key stream away.</summary>
    /// <param name="buffer">The packet, and at least <see cref="MaxTrailer"/> bytes of room behind it.</param>
    /// <param name="length">Length of the packet in bytes: before the call the plain one, after it the protected one.</param>
    /// <returns><see langword="false"/>: malformed, no room, sequence number used before, or disposed; the buffer's content is then undefined.</returns>
    public unsafe bool Protect(Span<byte> buffer, ref int length)
        => length >= RtpHeader && buffer.Length - MaxTrailer >= length ? Run(&LibSrtp.Protect, buffer, ref length) : Refuse();

    /// <summary>Encrypts, authenticates and numbers one compound RTCP packet.</summary>
    /// <inheritdoc cref="Protect"/>
    public unsafe bool ProtectRtcp(Span<byte> buffer, ref int length)
        => length >= RtcpHeader && buffer.Length - MaxTrailer >= length ? Run(&LibSrtp.ProtectRtcp, buffer, ref length) : Refuse();

    /// <summary>Checks and decrypts one SRTP packet.</summary>
    /// <param name="packet">Untrusted bytes, changed in place.</param>
    /// <param name="length">Length in bytes: before the call the datagram's, after it that of the plain packet.</param>
    /// <returns><see langword="false"/>: not authentic, replayed, malformed, one source too many, or disposed; the content is then undefined.</returns>
    public unsafe bool Unprotect(Span<byte> packet, ref int length)
        => length >= RtpHeader && length <= packet.Length ? Open(&LibSrtp.Unprotect, packet, ref length, SourceOf(packet[8..])) : Refuse();

    /// <summary>Checks and decrypts one SRTCP packet.</summary>
    /// <inheritdoc cref="Unprotect"/>
    public unsafe bool UnprotectRtcp(Span<byte> packet, ref int length)
        => length >= RtcpHeader && length <= packet.Length ? Open(&LibSrtp.UnprotectRtcp, packet, ref length, SourceOf(packet[4..])) : Refuse();

    public void Dispose() => _session.Dispose();

    private static uint SourceOf(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt32BigEndian(at);

    /// <summary>The library keeps state for each source that it once heard, for ever: a peer that invents sources is stopped here.</summary>
    private unsafe bool Open(delegate*<LibSrtp.SessionHandle, byte*, ref int, int> operation, Span<byte> packet, ref int length, uint source)
    {
        var known = _sources.AsSpan(0, _sourceCount).Contains(source);
        if (!known && _sourceCount == MaxSources)
            return Refuse();
        if (!Run(operation, packet, ref length))
            return false;
        if (!known)
            Remember(source);
        return true;
    }

    private void Remember(uint source)
    {
        if (_sourceCount == _sources.Length)
            Array.Resize(ref _sources, Math.Max(4, 2 * _sourceCount));
        _sources[_sourceCount++] = source;
    }

    private unsafe bool Run(delegate*<LibSrtp.SessionHandle, byte*, ref int, int> operation, Span<byte> packet, ref int length)
    {
        int status;
        try
        {
            fixed (byte* start = packet)
                status = operation(_session, start, ref length);
        }
        catch (ObjectDisposedException)   // the call ended on another thread just now
        {
            return false;
        }
        if (status == LibSrtp.Ok)
            return true;
        if (status is LibSrtp.ReplayFail or LibSrtp.ReplayOld)
            Replayed++;
        else
            Refused++;
        return false;
    }

    private bool Refuse()
    {
        Refused++;
        return false;
    }
}
