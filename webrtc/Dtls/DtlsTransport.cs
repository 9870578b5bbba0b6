using System.Buffers;
using VoiceGrains.WebRtc.Srtp;
using static VoiceGrains.WebRtc.Dtls.OpenSsl;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>
/// DTLS 1.2 over the datagrams of one peer (RFC 6347), with the keys for its media (RFC 5764). Cookies (RFC 6347 §4.2.1) are not asked for: ICE has validated
/// the address before a datagram comes here, and a transport shakes hands with one peer only.
/// </summary>
/// <remarks>
/// Any thread may call anything; one short lock surrounds OpenSSL's connection. Datagrams are to come from one thread at a time, as from a receive loop, since
/// two at once would be delivered in either order. Whatever they hold, nothing throws. <see cref="TrySend"/> and <see cref="OnDatagram"/> allocate nothing once
/// connected.
/// </remarks>
public sealed partial class DtlsTransport : IDisposable
{
    /// <summary>Longest time from <see cref="Start"/> to the end of the handshake.</summary>
    public static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(15);

    /// <summary>Longest application data in bytes whose datagram stays within the 1,200 bytes that any path carries (13 + 8 + 16 bytes are DTLS).</summary>
    public const int MaxUnfragmented = DtlsContext.Mtu - 37;

    /// <summary>Longest plaintext of a record in bytes (RFC 6347 §4.1): the longest application data that can be sent at all.</summary>
    private const int MaxRecord = 1 << 14;

    private const int RecordHeader = 13;
    private const int ApplicationData = 23;

    /// <summary>Datagrams kept until the start: a hello whose key shares make it two, and once again. Later ones are dropped.</summary>
    private const int MaxEarly = 4;

    private readonly Lock _gate = new();
    private readonly DtlsRole _role;
    private readonly DtlsFingerprint _remote;
    private readonly IDtlsSink _sink;
    private readonly TimeProvider _clock;
    private readonly ConnectionHandle _ssl;
    private State _state;
    private string? _reason;
    private List<byte[]> _early = [];
    private bool _isSending;

    // The datagram that OpenSSL may read during the step that is under way.
    private unsafe byte* _datagram;
    private int _datagramLength;

    /// <param name="certificate">Ours; kept alive by this transport.</param>
    /// <param name="remoteFingerprint">The value of the peer's <c>a=fingerprint</c> line.</param>
    /// <exception cref="ArgumentException">The fingerprint is malformed or not SHA-256 (<see cref="DtlsFingerprint.TryParse"/> asks beforehand).</exception>
    public DtlsTransport(DtlsCertificate certificate, DtlsRole role, string remoteFingerprint, IDtlsSink sink, TimeProvider clock)
    {
        if (!DtlsFingerprint.TryParse(remoteFingerprint, out _remote))
            throw new ArgumentException("A SHA-256 fingerprint is needed: 'sha-256 ' and 32 bytes in hexadecimal between colons.", nameof(remoteFingerprint));
        (_role, _sink, _clock) = (role, sink, clock);
        _ssl = Connect(certificate.Context);
    }

    private enum State
    {
        New,
        Handshaking,
        Connected,
        Closed,
    }

    /// <summary>What one step led to; the sink hears of it when the lock is free again.</summary>
    private enum Outcome
    {
        Nothing,
        Connected,
        Data,
        Closed,
    }

    /// <summary>
    /// Begins, once ICE has a pair: the client sends its first flight, the server waits for one. A hello that came earlier was kept unanswered, so that nothing
    /// is ever sent to an address that ICE has not validated, and is answered now: a browser may speak before it nominates.
    /// </summary>
    public void Start()
    {
        Outcome outcome;
        SrtpKeys? keys = null;
        List<byte[]> early;
        lock (_gate)
        {
            if (_state != State.New)
                return;
            _state = State.Handshaking;
            StartTimer();
            outcome = Shake(ref keys);
            early = _early;
            _early = [];
        }
        if (outcome == Outcome.Closed)
            _sink.OnClosed(_reason!);
        foreach (var datagram in early)
            OnDatagram(datagram);
    }

    /// <summary>Takes one datagram from the peer. The sink is called from within.</summary>
    public unsafe void OnDatagram(ReadOnlySpan<byte> datagram)
    {
        if (!IsPlausible(datagram))
        {
            Interlocked.Increment(ref _ignored);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(MaxRecord);
        try
        {
            fixed (byte* start = datagram)
                Deliver(start, datagram.Length, buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Sends one record. Any thread.</summary>
    /// <param name="applicationData">1 to 16,384 bytes; more than <see cref="MaxUnfragmented"/> depends on the path's MTU.</param>
    /// <returns><see langword="false"/>: not connected (yet, or any more), or the length is out of range.</returns>
    public unsafe bool TrySend(ReadOnlySpan<byte> applicationData)
    {
        if (applicationData.Length is 0 or > MaxRecord)
            return false;
        lock (_gate)
        {
            if (_state != State.Connected)
                return false;
            ClearErrors();
            fixed (byte* data = applicationData)
                return Write(_ssl, data, applicationData.Length) > 0;
        }
    }

    /// <summary>Tells the peer goodbye (close_notify), waits for no answer, and frees the connection with its keys. Repeated calls do nothing.</summary>
    /// <remarks>A sink that gives up while it sends may call this too: OpenSSL is then in the middle of a record, so the peer is not told.</remarks>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_ssl.IsClosed)
                return;
            if (_state == State.Connected && !_isSending)
                SayGoodbye();
            Close("disposed");
            _ssl.Dispose();
        }
    }

    private unsafe ConnectionHandle Connect(ContextHandle context)
    {
        var ssl = ConnectionNew(context);
        if (ssl.IsInvalid)
            throw new OutOfMemoryException("OpenSSL could not make a connection.");
        var self = ssl.Bind(this);
        SetExData(ssl, 0, self);
        var bio = DatagramBio.Create(self);
        SetBio(ssl, bio, bio);
        Control(ssl, ControlSetMtu, DtlsContext.Mtu, null);
        SetTimerCallback(ssl, &DtlsContext.OnTimer);
        if (_role == DtlsRole.Client)
            SetConnectState(ssl);
        else
            SetAcceptState(ssl);
        return ssl;
    }

    /// <summary>Whether the first byte is one of DTLS (RFC 7983 §7), and no data comes in the clear: OpenSSL would give a handshake up over that.</summary>
    private static bool IsPlausible(ReadOnlySpan<byte> datagram)
        => datagram.Length >= RecordHeader && datagram[0] is >= 20 and <= 63 && (datagram[0] != ApplicationData || datagram[3..5].ContainsAnyExcept((byte)0));

    private unsafe void Deliver(byte* datagram, int length, byte[] buffer)
    {
        while (true)
        {
            SrtpKeys? keys = null;
            switch (Step(datagram, ref length, buffer, out var dataLength, ref keys))
            {
                case Outcome.Connected:
                    using (keys)
                        _sink.OnConnected(keys!);
                    break;
                case Outcome.Data:
                    _sink.OnData(buffer.AsSpan(0, dataLength));
                    break;
                case Outcome.Closed:
                    _sink.OnClosed(_reason!);
                    return;
                default:
                    return;
            }
        }
    }

    /// <summary>Lets OpenSSL work on the datagram until something is to be told.</summary>
    /// <param name="length">0 once OpenSSL has taken the datagram; the records in it may outlast one step.</param>
    private unsafe Outcome Step(byte* datagram, ref int length, byte[] buffer, out int dataLength, ref SrtpKeys? keys)
    {
        dataLength = 0;
        lock (_gate)
        {
            if (_state is State.New or State.Closed)
            {
                if (_state == State.New && _early.Count < MaxEarly && length <= DtlsContext.Mtu)
                    _early.Add(new ReadOnlySpan<byte>(datagram, length).ToArray());
                else
                    Interlocked.Increment(ref _ignored);
                return Outcome.Nothing;
            }
            _datagram = datagram;
            _datagramLength = length;
            var outcome = _state == State.Handshaking ? Shake(ref keys) : ReadRecord(buffer, out dataLength);
            length = _datagramLength;
            _datagram = null;
            _datagramLength = 0;
            return outcome;
        }
    }

    private unsafe Outcome ReadRecord(byte[] buffer, out int length)
    {
        length = 0;
        ClearErrors();
        int result;
        fixed (byte* start = buffer)
            result = Read(_ssl, start, buffer.Length);
        if (_state != State.Connected)     // disposed by the sink meanwhile
            return Outcome.Nothing;
        if (result > 0)
        {
            length = result;
            return Outcome.Data;
        }
        switch (GetError(_ssl, result))
        {
            case ErrorWantRead:
                return Outcome.Nothing;
            case ErrorZeroReturn:
                SayGoodbye();
                return Close("The peer closed the DTLS connection.");
            default:
                return Close(_reason ?? $"The DTLS connection failed: {ErrorText()}.");
        }
    }

    private void SayGoodbye()
    {
        ClearErrors();
        Shutdown(_ssl);
    }

    private Outcome Close(string reason)
    {
        _reason = reason;
        _state = State.Closed;
        StopTimer();
        return Outcome.Closed;
    }
}
