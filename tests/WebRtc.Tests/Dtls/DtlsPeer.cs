using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>One end under test: its transport, what it was told, and the datagrams that it wants carried.</summary>
internal sealed class DtlsPeer : IDtlsSink, IDisposable
{
    private readonly DtlsCertificate? _own;

    public delegate void DatagramCarrier(ReadOnlySpan<byte> datagram);

    public DtlsPeer(DtlsRole role, string remoteFingerprint, TimeProvider clock, DtlsCertificate? certificate = null, TimeSpan? retransmission = null)
    {
        Certificate = certificate ?? (_own = DtlsCertificate.Create());
        Transport = new DtlsTransport(Certificate, role, remoteFingerprint, this, clock) { InitialRetransmission = retransmission ?? TimeSpan.FromSeconds(1) };
    }

    public DtlsCertificate Certificate { get; }

    public DtlsTransport Transport { get; }

    public Queue<byte[]> Outgoing { get; } = new();

    /// <summary>Where outgoing datagrams go instead of <see cref="Outgoing"/>.</summary>
    public Action<byte[]>? Carry { get; set; }

    /// <summary>Like <see cref="Carry"/>, without a copy.</summary>
    public DatagramCarrier? CarryRaw { get; set; }

    public List<byte[]> Received { get; } = [];

    /// <summary>Only counts what comes.</summary>
    public bool Quiet { get; set; }

    public int QuietlyReceived { get; private set; }

    /// <summary>Copies: the keys themselves are zeroed when the call ends.</summary>
    public (SrtpProfile Profile, byte[] Inbound, byte[] Outbound)? Keys { get; private set; }

    public SrtpKeys? KeysSeen { get; private set; }

    public List<string> Closed { get; } = [];

    public Action<byte[]>? WhenData { get; set; }

    public void Send(ReadOnlySpan<byte> datagram)
    {
        if (CarryRaw is { } raw)
            raw(datagram);
        else if (Carry is { } carry)
            carry(datagram.ToArray());
        else
            Outgoing.Enqueue(datagram.ToArray());
    }

    public void OnConnected(SrtpKeys keys)
    {
        Assert.Null(Keys);
        Assert.Empty(Received);
        KeysSeen = keys;
        Keys = (keys.Profile, keys.Inbound.ToArray(), keys.Outbound.ToArray());
    }

    public void OnData(ReadOnlySpan<byte> applicationData)
    {
        if (Quiet)
        {
            QuietlyReceived++;
            return;
        }
        Assert.NotNull(Keys);
        Assert.Empty(Closed);
        Received.Add(applicationData.ToArray());
        WhenData?.Invoke(Received[^1]);
    }

    public void OnClosed(string reason)
    {
        Closed.Add(reason);
        Assert.Single(Closed);
    }

    public void Dispose()
    {
        Transport.Dispose();
        _own?.Dispose();
    }
}
