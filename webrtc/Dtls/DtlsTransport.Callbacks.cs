using System.Runtime.InteropServices;
using static VoiceGrains.WebRtc.Dtls.OpenSsl;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>What OpenSSL calls, always inside a call of ours and so with the lock held, and what is counted.</summary>
public sealed partial class DtlsTransport
{
    private const int FatalAlert = 2;

    private int _alertsSent;
    private int _alertsReceived;
    private int _retransmissions;
    private int _unsent;
    private int _ignored;

    public DtlsStatistics Statistics => new(_alertsSent, _alertsReceived, _retransmissions, _ignored, _unsent);

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
        Fault = DtlsFault.Fingerprint;
        _reason = "The peer's certificate is not the one whose fingerprint the SDP holds.";
        return false;
    }

    internal void OnAlert(bool sent, int value)
    {
        if (sent)
            _alertsSent++;
        else
            _alertsReceived++;
        if (sent || value >> 8 != FatalAlert)
            return;
        if (_state == State.Handshaking && Fault == DtlsFault.None)
            Fault = DtlsFault.Refused;
        _reason ??= $"The peer refused the DTLS connection: {Marshal.PtrToStringUTF8(AlertText(value))}.";
    }
}
