using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Sdp;
using VoiceGrains.WebRtc.Srtp;
using VoiceGrains.WebRtc.Tests.Sdp;
using VoiceGrains.WebRtc.Tests.Transport;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>What a browser does with an answer, in small: checks from one UDP socket, DTLS as server, and SRTP.</summary>
internal sealed class NativeClient : IDtlsSink, IDisposable
{
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private readonly DtlsTransport _dtls;
    private readonly UdpPeer _udp;
    private SrtpSession? _inbound;
    private SrtpSession? _outbound;
    private volatile bool _isStopped;
    private Task _pump = Task.CompletedTask;

    /// <param name="port">Of the endpoint.</param>
    public NativeClient(int port, string serverFingerprint, TimeProvider clock)
    {
        _udp = new UdpPeer(IPAddress.Loopback, port);
        _dtls = new DtlsTransport(_certificate, DtlsRole.Server, serverFingerprint, this, clock);
        var audio = SdpOffers.Read("chromium-sendrecv").Split("m=application")[0].Replace("BUNDLE 0 1", "BUNDLE 0");
        Offer = Regex.Replace(audio, "(?<=a=fingerprint:).*(?=\r)", _certificate.Fingerprint);
    }

    /// <summary>One section of audio both ways, as Chromium offers it, with this client's fingerprint.</summary>
    public string Offer { get; set; }

    /// <summary>The answer that it connected with.</summary>
    public string? Answered { get; set; }
    public ConcurrentQueue<byte[]> Rtp { get; } = new();
    public ConcurrentQueue<byte[]> Rtcp { get; } = new();
    public bool IsConnected => _outbound is not null;
    public string? Closed { get; private set; }

    /// <summary>Answers nothing of DTLS when not set.</summary>
    public bool ShakesHands { get; init; } = true;

    /// <summary>Which RTP datagrams are lost on their way here.</summary>
    public Func<byte[], bool> Loses { get; set; } = static _ => false;

    public static IceCredentials Credentials(string answer)
    {
        var section = SdpParser.Parse(answer).Media[0];
        return new IceCredentials(section.UsernameFragment!, section.Password!);
    }

    /// <summary>Checks the path with the answer's credentials and takes what comes from then on.</summary>
    public async Task StartAsync(string answer)
    {
        _dtls.Start();
        await _udp.CheckAsync(Credentials(answer));
        _pump = PumpAsync();
    }

    /// <summary>Checks again, as for consent or after a restart; nobody waits for the response.</summary>
    public void Check(string answer) => _udp.Send(new Check(Credentials(answer)).ToBytes());

    public void SendRtp(byte[] packet) => SendProtected(packet, isRtcp: false);

    public void SendRtcp(byte[] packet) => SendProtected(packet, isRtcp: true);

    public void SendRaw(byte[] datagram) => _udp.Send(datagram);

    public void SayGoodbye() => _dtls.Dispose();

    public void Send(ReadOnlySpan<byte> datagram) => _udp.Send(datagram);

    public void OnConnected(SrtpKeys keys) => (_inbound, _outbound) = (SrtpSession.Inbound(keys), SrtpSession.Outbound(keys));

    public void OnData(ReadOnlySpan<byte> applicationData)
    {
    }

    public void OnClosed(string reason) => Closed = reason;

    public void Dispose()
    {
        _isStopped = true;
        _udp.Dispose();
        _pump.Wait(TimeSpan.FromSeconds(20));
        _dtls.Dispose();
        _inbound?.Dispose();
        _outbound?.Dispose();
        _certificate.Dispose();
    }

    private void SendProtected(byte[] packet, bool isRtcp)
    {
        var buffer = new byte[packet.Length + SrtpSession.MaxTrailer];
        packet.CopyTo(buffer, 0);
        var length = packet.Length;
        Assert.True(isRtcp ? _outbound!.ProtectRtcp(buffer, ref length) : _outbound!.Protect(buffer, ref length));
        _udp.Send(buffer.AsSpan(0, length));
    }

    private async Task PumpAsync()
    {
        while (!_isStopped)
        {
            try
            {
                Take(await _udp.ReceiveAsync());
            }
            catch (OperationCanceledException)
            {
                // nothing came for a while
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private void Take(byte[] datagram)
    {
        if (datagram[0] is >= 20 and <= 63 && ShakesHands)
            _dtls.OnDatagram(datagram);
        if (datagram[0] is < 128 or > 191)
            return;
        var length = datagram.Length;
        if (datagram[1] is >= 192 and <= 223)
        {
            Assert.True(_inbound!.UnprotectRtcp(datagram, ref length));
            Rtcp.Enqueue(datagram[..length]);
        }
        else if (!Loses(datagram))
        {
            Assert.True(_inbound!.Unprotect(datagram, ref length));
            Rtp.Enqueue(datagram[..length]);
        }
    }
}
