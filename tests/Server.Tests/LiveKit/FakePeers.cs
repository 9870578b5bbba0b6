using System.Collections.Concurrent;
using Google.Protobuf;
using VoiceGrains.Media;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;
using VoiceGrains.WebRtc;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>Peers without a network.</summary>
internal sealed class FakePeers : IRoomPeerFactory
{
    private readonly ConcurrentQueue<FakePeer> peers = new();

    public IRoomPeer Create(AgentTrackIds agent, IRoomPeerSink sink)
    {
        var peer = new FakePeer(agent, sink);
        peers.Enqueue(peer);
        return peer;
    }

    public List<FakePeer> All => [.. peers];

    /// <summary>The peers of a room, by its agent's track, in the order they were made.</summary>
    public List<FakePeer> Of(string agentTrackSid) => [.. peers.Where(peer => peer.Agent.TrackId == agentTrackSid)];
}

/// <summary>A peer whose far end is the test.</summary>
internal sealed class FakePeer(AgentTrackIds agent, IRoomPeerSink sink) : IRoomPeer
{
    private readonly ConcurrentQueue<byte[]> data = new();
    private readonly ConcurrentQueue<(byte[] Opus, uint Timestamp, bool Marker)> audio = new();
    private OpusEncoder? encoder;
    private ushort sequence;
    private uint dataSequence;

    public AgentTrackIds Agent => agent;
    public bool IsConnected { get; private set; }
    public bool IsDisposed { get; private set; }

    /// <summary>Whether the client has opened its data channels.</summary>
    public bool HasChannels { get; set; } = true;

    public List<string> Offers { get; } = [];
    public PeerQuality Quality { get; set; }
    public PeerStatistics Statistics { get; set; }

    /// <summary>What was sent to the client on its reliable channel.</summary>
    public List<DataPacket> Data => [.. data.Select(DataPacket.Parser.ParseFrom)];

    public IReadOnlyCollection<(byte[] Opus, uint Timestamp, bool Marker)> Audio => audio;

    /// <summary>Whether the last answer had the agent's sound.</summary>
    public bool SendsAgent { get; private set; }

    public string? Answer(string offerSdp, bool sendsAgent)
    {
        if (offerSdp.StartsWith("bad", StringComparison.Ordinal)) throw new FormatException("A bad offer.");
        if (offerSdp.StartsWith("another connection's", StringComparison.Ordinal)) return null;
        Offers.Add(offerSdp);
        SendsAgent = sendsAgent;
        return "answer to " + offerSdp;
    }

    public bool TrySendAudio(ReadOnlySpan<byte> opus, uint timestamp, bool marker)
    {
        if (IsConnected) audio.Enqueue((opus.ToArray(), timestamp, marker));
        return IsConnected;
    }

    public bool TrySendData(string label, ReadOnlySpan<byte> message)
    {
        if (!IsConnected || !HasChannels || label != "_reliable") return false;
        data.Enqueue(message.ToArray());
        return true;
    }

    public void Connect(bool isConnected = true)
    {
        IsConnected = isConnected;
        sink.OnConnected(isConnected);
    }

    /// <summary>As when no check comes any more, or the client closes it.</summary>
    public void End()
    {
        Connect(false);
        sink.OnEnded();
    }

    /// <summary>20 ms of sound at 16 kHz.</summary>
    public void Speak(ReadOnlySpan<short> frame, byte level = 20)
    {
        Span<byte> packet = stackalloc byte[OpusEncoder.MaxPacketBytes];
        encoder ??= new OpusEncoder(new OpusEncoderOptions { SampleRateHz = 16_000 });
        var length = encoder.Encode(frame, packet);
        sink.OnAudio(this, ++sequence, (uint)sequence * 960, packet[..length], level);
    }

    public void SendJson(string json, uint? number = null, string label = "_reliable")
        => SendRaw(new DataPacket { Sequence = number ?? ++dataSequence, User = new UserPacket { Payload = ByteString.CopyFromUtf8(json) } }.ToByteArray(), label);

    public void SendRaw(byte[] packet, string label = "_reliable") => sink.OnData(label, packet);

    public ValueTask DisposeAsync()
    {
        (IsConnected, IsDisposed) = (false, true);
        return ValueTask.CompletedTask;
    }
}
