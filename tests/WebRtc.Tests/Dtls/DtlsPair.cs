using VoiceGrains.WebRtc.Dtls;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>Our client and our server, with the test as the network between them.</summary>
internal sealed class DtlsPair : IDisposable
{
    private static readonly DtlsCertificate ClientCertificate = DtlsCertificate.Create();
    private static readonly DtlsCertificate ServerCertificate = DtlsCertificate.Create();

    public DtlsPair(TimeProvider clock, TimeSpan? retransmission = null)
    {
        Client = new DtlsPeer(DtlsRole.Client, ServerCertificate.Fingerprint, clock, ClientCertificate, retransmission);
        Server = new DtlsPeer(DtlsRole.Server, ClientCertificate.Fingerprint, clock, ServerCertificate, retransmission);
    }

    public DtlsPair(DtlsPeer client, DtlsPeer server) => (Client, Server) = (client, server);

    public DtlsPeer Client { get; }

    public DtlsPeer Server { get; }

    public bool Connected => Client.Keys is not null && Server.Keys is not null;

    /// <summary>A pair that has shaken hands.</summary>
    public static DtlsPair Connect(TimeProvider clock)
    {
        var pair = new DtlsPair(clock);
        pair.Start();
        pair.Exchange();
        Assert.True(pair.Connected);
        return pair;
    }

    public void Start()
    {
        Server.Transport.Start();
        Client.Transport.Start();
    }

    /// <summary>Carries datagrams until there are none. Returns how many there were.</summary>
    public int Exchange()
    {
        var count = 0;
        while (CarryOne())
            count++;
        return count;
    }

    public bool CarryOne()
    {
        if (Client.Outgoing.TryDequeue(out var datagram))
            Server.Transport.OnDatagram(datagram);
        else if (Server.Outgoing.TryDequeue(out datagram))
            Client.Transport.OnDatagram(datagram);
        else
            return false;
        return true;
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }
}
