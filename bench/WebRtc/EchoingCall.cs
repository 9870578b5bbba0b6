using VoiceGrains.Media;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>
/// A call without jitter buffer and pacer: what its user says is decoded, encoded and sent back at once. From the client's packet to its answer is then all the
/// time that a packet spends on its way in and a frame on its way out.
/// </summary>
internal sealed class EchoingCall : IRoomPeerSink
{
    private readonly OpusDecoder _decoder = new(Speech.RateHz);
    private readonly OpusEncoder _encoder = new(new OpusEncoderOptions());
    private readonly short[] _pcm = new short[Speech.RateHz / 1000 * 120];
    private readonly byte[] _packet = new byte[OpusEncoder.MaxPacketBytes];
    private readonly IRoomPeer _peer;

    public EchoingCall(IRoomPeerFactory peers) => _peer = peers.Create(new AgentTrackIds("PA_bench|TR_bench", "TR_bench"), this);

    /// <summary>Packets that were sent back.</summary>
    public long Packets { get; private set; }

    public string Answer(string offer) => _peer.Answer(offer, sendsAgent: true)!;

    void IRoomPeerSink.OnAudio(object stream, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? level)
    {
        if (_decoder.Decode(opus, _pcm) != Speech.FrameSamples) return;
        var length = _encoder.Encode(_pcm.AsSpan(0, Speech.FrameSamples), _packet);
        if (_peer.TrySendAudio(_packet.AsSpan(0, length), timestamp, marker: false)) Packets++;
    }

    void IRoomPeerSink.OnConnected(bool isConnected)
    {
    }

    void IRoomPeerSink.OnEnded()
    {
    }

    void IRoomPeerSink.OnData(string label, ReadOnlySpan<byte> message)
    {
    }
}
