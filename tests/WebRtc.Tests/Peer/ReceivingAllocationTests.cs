using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Media;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Tests.Transport;
using VoiceGrains.WebRtc.Transport;
using static VoiceGrains.WebRtc.Tests.Peer.ClientPackets;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>What the receive thread allocates from the socket to the jitter buffer. The thread does nothing else, so its own count is that of the packets.</summary>
public sealed class ReceivingAllocationTests : IPeerSink, IAsyncDisposable
{
    private const int WarmUp = 200, Packets = 700, Batch = 50;

    private readonly ManualClock _clock = new();
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private readonly MediaEndpoint _endpoint;
    private readonly PeerConnection _peer;
    private readonly AudioReceiver _receiver;
    private readonly long[] _allocated = new long[Packets];
    private readonly int[] _threads = new int[Packets];
    private int _received;

    public ReceivingAllocationTests()
    {
        _receiver = new AudioReceiver(new AudioReceiverOptions(), _clock);
        _endpoint = MediaEndpoint.Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback }, _clock, NullLoggerFactory.Instance);
        _peer = new PeerConnection(EchoPeer.DefaultOptions with { Endpoint = _endpoint, Certificate = _certificate }, this, _clock, NullLogger.Instance);
    }

    [Fact]
    public async Task APacketOfSound_CostsNoMemory()
    {
        using var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock);
        client.Offer = AsClient(client.Offer);
        await client.StartAsync(_peer.Answer(client.Offer));
        await Poll.UntilAsync(() => client.IsConnected && _peer.State == PeerState.Connected, "the connection is up");

        var packet = new byte[RtpHeader.Bytes + Opus.Length];
        Opus.CopyTo(packet, RtpHeader.Bytes);
        for (var sent = 1; sent <= Packets; sent++)
        {
            new RtpHeader(111, false, (ushort)sent, (uint)sent * 960, ClientSsrc).Write(packet);
            client.SendRtp(packet);
            var all = sent;
            if (sent % Batch == 0)
                await Poll.UntilAsync(() => Volatile.Read(ref _received) == all, "they came");      // no more than the socket holds
        }

        Assert.Single(_threads.Distinct());
        Assert.Equal(_allocated[WarmUp], _allocated[^1]);
    }

    void IPeerSink.OnAudio(ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel)
    {
        _receiver.Put(sequence, timestamp, opus);
        (_allocated[_received], _threads[_received]) = (GC.GetAllocatedBytesForCurrentThread(), Environment.CurrentManagedThreadId);
        Volatile.Write(ref _received, _received + 1);
    }

    void IPeerSink.OnStateChanged(PeerState state)
    {
    }

    void IPeerSink.OnData(string label, ReadOnlySpan<byte> message)
    {
    }

    public async ValueTask DisposeAsync()
    {
        await _peer.DisposeAsync();
        await _endpoint.DisposeAsync();
        _receiver.Dispose();
        _certificate.Dispose();
    }
}
