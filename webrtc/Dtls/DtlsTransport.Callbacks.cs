using System.Runtime.InteropServices;
using static VoiceGrains.WebRtc.Dtls.OpenSsl;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>What OpenSSL calls (always inside a call of ours, so with the lock held), what it counts, and the clock of the handshake.</summary>
public sealed partial class DtlsTransport
{
    private const int FatalAlert = 2;

    /// <summary>A timer of ours never fires more often: OpenSSL reads the system's clock, and may find that its time has not quite come.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan LongestRetransmission = TimeSpan.FromSeconds(3.2);

    private ITimer? _timer;
    private long _started;
    private int _alertsSent;
    private int _alertsReceived;
    private int _retransmissions;
    private int _unsent;
    private int _ignored;

    public DtlsStatistics Statistics => new(_alertsSent, _alertsReceived, _retransmissions, _ignored, _unsent);

    /// <summary>
    /// Wait before a flight is sent again for the first time; it doubles up to 3.2 s. Below the second of RFC 6347 §4.2.4.1, as that section allows where round
    /// trips are known to be short: a caller waits meanwhile.
    /// </summary>
    internal TimeSpan InitialRetransmission { get; init; } = TimeSpan.FromMilliseconds(200);

    internal unsafe int TakeDatagram(Span<byte> buffer)
    {
        var length = Math.Min(buffer.Length, _datagramLength);
        new ReadOnlySpan<byte>(_datagram, length).CopyTo(buffer);
        _datagramLength = 0;
        return length;
    }

    internal void PutDatagram(ReadOnlySpan<byte> datagram)
    {
        _isSending = true;
        try
        {
            _sink.Send(datagram);
        }
        catch (Exception)   // must not cross OpenSSL's frames: the datagram is lost, and counted
        {
            _unsent++;
        }
        _isSending = false;
    }

    internal bool AcceptsCertificate(ReadOnlySpan<byte> certificate)
    {
        if (_remote.Matches(certificate))
            return true;
        _reason = "The peer's certificate is not the one whose fingerprint the SDP holds.";
        return false;
    }

    internal void OnAlert(bool sent, int value)
    {
        if (sent)
            _alertsSent++;
        else
            _alertsReceived++;
        if (!sent && value >> 8 == FatalAlert)
            _reason ??= $"The peer refused the DTLS connection: {Marshal.PtrToStringUTF8(AlertText(value))}.";
    }

    /// <summary>The wait before the next retransmission, in microseconds: OpenSSL asks with 0 for a new flight, and with the last wait when that is over.</summary>
    internal uint NextTimeout(uint previous)
    {
        if (previous == 0)
            return (uint)InitialRetransmission.TotalMicroseconds;
        _retransmissions++;
        return Math.Min(2 * previous, (uint)LongestRetransmission.TotalMicroseconds);
    }

    private void StartTimer()
    {
        _started = _clock.GetTimestamp();
        _timer = _clock.CreateTimer(static self => ((DtlsTransport)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private unsafe void ArmTimer()
    {
        var due = HandshakeLimit - _clock.GetElapsedTime(_started);
        TimeValue left;
        if (Control(_ssl, ControlDtlsTimeout, 0, &left) == 1)
            due = TimeSpan.FromTicks(Math.Min(due.Ticks, left.Seconds * TimeSpan.TicksPerSecond + left.Microseconds * TimeSpan.TicksPerMicrosecond));
        _timer?.Change(due > ShortestWait ? due : ShortestWait, Timeout.InfiniteTimeSpan);
    }

    private void StopTimer()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private unsafe void OnTimer()
    {
        lock (_gate)
        {
            if (_state != State.Handshaking)
                return;
            ClearErrors();
            if (_clock.GetElapsedTime(_started) < HandshakeLimit && Control(_ssl, ControlDtlsHandleTimeout, 0, null) >= 0)
            {
                ArmTimer();
                return;
            }
            Close($"No DTLS handshake within {HandshakeLimit.TotalSeconds:0} s.");
        }
        _sink.OnClosed(_reason!);
    }
}
