using System.Security.Cryptography;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Media;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>
/// One call on the server's side, made of the silo's own peer and port, with a room of one user and a conversation that only speaks: a frame of speech for
/// each frame heard, so that both directions are busy all the time.
/// </summary>
internal sealed class ServedCall : IRoomMedia, IRoomPeerSink, IMediaSink
{
    private const int FramesAhead = 2;
    private readonly IRoomPeer _peer;
    private readonly WebRtcPort _port;
    private readonly Speech _speech;
    private volatile bool _isConnected;
    private int _frame;

    public ServedCall(IRoomPeerFactory peers, Pacer pacer, Speech speech, ReceiverMetrics metrics, TimeProvider clock)
    {
        _speech = speech;
        _frame = RandomNumberGenerator.GetInt32(speech.Frames);
        _peer = peers.Create(new AgentTrackIds("PA_bench|TR_bench", "TR_bench"), this);
        _port = new WebRtcPort(this, pacer, clock, metrics) { IsMuted = false };
        for (var i = 0; i < FramesAhead; i++) Speak();
        _ = _port.RunAsync(this, CancellationToken.None);
    }

    public long PacketsIn { get; private set; }

    public long PacketsOut { get; private set; }

    /// <summary>Frames of 20 ms with sound in them that came out of the jitter buffer.</summary>
    public long FramesHeard { get; private set; }

    bool IRoomMedia.IsUserConnected => _isConnected;

    public string Answer(string offer) => _peer.Answer(offer, sendsAgent: true)!;

    void IRoomPeerSink.OnConnected(bool isConnected) => _isConnected = isConnected;

    void IRoomPeerSink.OnAudio(object stream, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? level)
    {
        PacketsIn++;
        _port.OnAudio(stream, sequence, timestamp, opus);
    }

    void IRoomPeerSink.OnEnded()
    {
    }

    void IRoomPeerSink.OnData(string label, ReadOnlySpan<byte> message) => _port.OnData(message);

    void IRoomMedia.SendAudio(ReadOnlySpan<byte> opus, uint timestamp, bool marker)
    {
        if (_peer.TrySendAudio(opus, timestamp, marker)) PacketsOut++;
    }

    bool IRoomMedia.TrySendData(ReadOnlySpan<byte> json) => false;

    void IRoomMedia.Close(bool mayReturn) => throw new InvalidOperationException("Calls of the benchmark end with their process.");

    void IMediaSink.OnAudio(ReadOnlySpan<short> pcm)
    {
        if (pcm.ContainsAnyExcept((short)0)) FramesHeard++;
        Speak();
    }

    void IMediaSink.OnData(ReadOnlySpan<byte> json)
    {
    }

    void IMediaSink.OnDtmf(char digit)
    {
    }

    void IMediaSink.OnNotice(MediaNotice notice)
    {
    }

    private void Speak() => _port.TrySendAudio(_speech.Frame(_frame++));
}
