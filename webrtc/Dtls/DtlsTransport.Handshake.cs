using System.Runtime.InteropServices;
using System.Security.Cryptography;
using VoiceGrains.WebRtc.Srtp;
using static VoiceGrains.WebRtc.Dtls.OpenSsl;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>The handshake: its steps, its clock, and the keys that come of it. All but the timer's own call runs with the lock held.</summary>
public sealed partial class DtlsTransport
{
    /// <summary>A timer of ours never fires more often: OpenSSL reads the system's clock, and may find that its time has not quite come.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan LongestRetransmission = TimeSpan.FromSeconds(3.2);

    private ITimer? _timer;
    private long _started;

    /// <summary>
    /// Wait before a flight is sent again for the first time; it doubles up to 3.2 s. Shorter than the second that RFC 6347 §4.2.4.1 recommends, since a caller
    /// waits meanwhile; browsers begin with less.
    /// </summary>
    internal TimeSpan InitialRetransmission { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Why the handshake failed, once it has.</summary>
    internal DtlsFault Fault { get; private set; }

    private Outcome Shake(ref SrtpKeys? keys)
    {
        ClearErrors();
        var result = DoHandshake(_ssl);
        if (_state != State.Handshaking)   // disposed by the sink meanwhile
            return Outcome.Nothing;
        if (result == 1)
            return Finish(out keys);
        if (GetError(_ssl, result) != ErrorWantRead)
            return Fail(DtlsFault.Protocol, _reason ?? $"The DTLS handshake failed: {ErrorText()}.");
        ArmTimer();
        return Outcome.Nothing;
    }

    private unsafe Outcome Finish(out SrtpKeys? keys)
    {
        keys = null;
        // Without it the exported keys could be those of another connection as well (RFC 7627 §1).
        if (Control(_ssl, ControlExtendedMasterSecret, 0, null) != 1)
            return Leave("The peer does not use the extended master secret.");
        keys = ExportKeys();
        if (keys is null)
            return Leave("The peer takes none of the SRTP profiles offered.");
        _state = State.Connected;
        StopTimer();
        return Outcome.Connected;

        Outcome Leave(string reason)
        {
            SayGoodbye();
            return Fail(DtlsFault.Profile, reason);
        }
    }

    /// <summary>RFC 5764 §4.2.</summary>
    private unsafe SrtpKeys? ExportKeys()
    {
        const string label = "EXTRACTOR-dtls_srtp";
        var selected = SelectedSrtpProfile(_ssl);
        if (selected == 0)
            return null;
        var profile = (SrtpProfile)Marshal.ReadInt64(selected, nint.Size);
        Span<byte> material = stackalloc byte[2 * (profile.KeyLength() + profile.SaltLength())];
        try
        {
            fixed (byte* output = material)
                return ExportKeyingMaterial(_ssl, output, (nuint)material.Length, label, (nuint)label.Length, null, 0, 0) == 1
                    ? SrtpKeys.FromExport(profile, material, _role == DtlsRole.Client)
                    : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    /// <summary>The next wait in microseconds: OpenSSL asks with 0 when it sends a new flight, and with the last wait when that is over.</summary>
    internal uint NextTimeout(uint previous)
    {
        if (previous == 0)
            return (uint)InitialRetransmission.TotalMicroseconds;
        _retransmissions++;
        return Math.Min(2 * previous, (uint)LongestRetransmission.TotalMicroseconds);
    }

    /// <param name="fault">Unless what led to it was seen before.</param>
    private Outcome Fail(DtlsFault fault, string reason)
    {
        if (Fault == DtlsFault.None)
            Fault = fault;
        return Close(reason);
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
        _timer!.Change(due > ShortestWait ? due : ShortestWait, Timeout.InfiniteTimeSpan);
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
                if (_state == State.Handshaking)   // else disposed by the sink meanwhile
                    ArmTimer();
                return;
            }
            Fail(DtlsFault.Timeout, $"No DTLS handshake within {HandshakeLimit.TotalSeconds:0} s.");
        }
        _sink.OnClosed(_reason!);
    }
}
