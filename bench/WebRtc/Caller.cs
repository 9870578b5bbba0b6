using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using VoiceGrains.Cli;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Sctp;
using VoiceGrains.WebRtc.Sdp;
using VoiceGrains.WebRtc.Srtp;
using VoiceGrains.WebRtc.Tests.Transport;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>
/// A native client: what a browser does on the wire, with Opus that was encoded before. It has a UDP socket and no thread: whoever owns it sends and drains, one
/// thread at a time.
/// </summary>
internal sealed class Caller : IDtlsSink, ISctpSink, IDisposable
{
    private const uint Ssrc = 2_750_662_958;            // of the offer, as are the next two
    private const int LevelExtension = 1;
    private const byte PayloadType = 111;
    private const byte Level = 30;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(20);
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
    private readonly byte[] _in = new byte[2_048], _out = new byte[2_048];
    private DtlsTransport? _dtls;
    private readonly bool _hasData;
    private SctpAssociation? _data;
    private SrtpSession? _inbound, _outbound;
    private IceCredentials? _server;
    private string? _closed;
    private ushort _sequence = RtpHeader.FirstSequence();
    private uint _timestamp;

    /// <param name="hasData">With the two data channels of a LiveKit client.</param>
    public Caller(bool hasData = false)
    {
        var offer = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "WebRtc", "offer.sdp"));
        if (!hasData) offer = offer.Split("m=application")[0].Replace("BUNDLE 0 1", "BUNDLE 0");
        (_hasData, Offer) = (hasData, Regex.Replace(offer, "(?<=a=fingerprint:).*(?=\r)", _certificate.Fingerprint));
    }

    /// <summary>Chromium's, of one section of audio both ways.</summary>
    public string Offer { get; }

    /// <summary>Authentic packets of sound.</summary>
    public long Received { get; private set; }

    /// <summary>Of its data channels.</summary>
    public long Messages { get; private set; }

    /// <summary>Of the server's choice.</summary>
    public SrtpProfile Profile { get; private set; }

    public async Task ConnectAsync(int port, string answer, CancellationToken cancellationToken)
    {
        var section = SdpParser.Parse(answer).Media[0];
        _server = new IceCredentials(section.UsernameFragment!, section.Password!);
        _socket.Connect(IPAddress.Loopback, port);
        _dtls = new DtlsTransport(_certificate, DtlsRole.Server, section.Fingerprint!, this, TimeProvider.System);
        _dtls.Start();
        Check();
        for (var began = Environment.TickCount64; _outbound is null; Drain())
        {
            if (_closed is not null || Environment.TickCount64 - began > ConnectLimit.TotalMilliseconds) throw new CliException($"A call did not connect: {_closed ?? "no answer in time"}.");
            await Task.Delay(1, cancellationToken);
        }
        if (_hasData) OpenData();
    }

    /// <summary>Tells the server that it may go on sending, as browsers do each few seconds.</summary>
    public void Check() => Send(new Check(_server!).ToBytes());

    /// <summary>Says 20 ms.</summary>
    public void Speak(ReadOnlySpan<byte> opus)
    {
        var length = new RtpHeader(PayloadType, Marker: false, _sequence++, _timestamp += Speech.FrameSamples, Ssrc).Write(_out, LevelExtension, [Level]);
        opus.CopyTo(_out.AsSpan(length));
        length += opus.Length;
        if (_outbound!.Protect(_out, ref length)) Send(_out.AsSpan(0, length));
    }

    /// <summary>Takes what has come.</summary>
    public void Drain()
    {
        for (int length; (length = _socket.Receive(_in, SocketFlags.None, out var error)) > 0 && error == SocketError.Success;) Take(length);
    }

    /// <summary>Waits for the next packet of sound. False: none came.</summary>
    public bool TryAwait(TimeSpan patience)
    {
        for (var before = Received; Received == before; Drain())
        {
            if (!_socket.Poll(patience, SelectMode.SelectRead)) return false;
        }
        return true;
    }

    public void Send(ReadOnlySpan<byte> datagram) => _socket.Send(datagram, SocketFlags.None, out _);     // one that does not fit is lost

    public void OnConnected(SrtpKeys keys) => (Profile, _inbound, _outbound) = (keys.Profile, SrtpSession.Inbound(keys), SrtpSession.Outbound(keys));

    public void OnData(ReadOnlySpan<byte> applicationData) => _data?.OnPacket(applicationData);

    public void OnClosed(string reason) => _closed = reason;

    void ISctpSink.Send(ReadOnlySpan<byte> packet) => _dtls!.TrySend(packet);

    void ISctpSink.OnChannel(DataChannel channel)
    {
    }

    void ISctpSink.OnMessage(DataChannel channel, ReadOnlySpan<byte> message, bool isBinary) => Messages++;

    public void Dispose()
    {
        _data?.Dispose();
        _dtls?.Dispose();
        _socket.Dispose();
        _inbound?.Dispose();
        _outbound?.Dispose();
        _certificate.Dispose();
    }

    private void OpenData()
    {
        _data = new SctpAssociation(isDtlsClient: false, this, SctpOptions.Default, TimeProvider.System);
        _data.Start();
        _data.Open("_reliable", DataChannelOptions.Reliable);
        _data.Open("_lossy", new DataChannelOptions(Ordered: false, MaxRetransmits: 0));
    }

    private void Take(int length)
    {
        if (_in[0] is >= 20 and <= 63) _dtls!.OnDatagram(_in.AsSpan(0, length));
        if (_in[0] is >= 128 and <= 191 && _in[1] is < 192 or > 223 && _inbound is not null && _inbound.Unprotect(_in, ref length)) Received++;
    }
}
