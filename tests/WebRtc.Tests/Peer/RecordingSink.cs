using System.Collections.Concurrent;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>Keeps what a peer connection tells.</summary>
internal sealed class RecordingSink : IPeerSink
{
    public ConcurrentQueue<PeerState> States { get; } = new();
    public ConcurrentQueue<string> Reasons { get; } = new();
    public ConcurrentQueue<(RemoteTrack Track, ushort Sequence, uint Timestamp, byte[] Opus, byte? Level)> Audio { get; } = new();

    public TimeSpan PlayoutDelay { get; set; }

    public void OnStateChanged(PeerState state, string reason)
    {
        Reasons.Enqueue(reason);
        States.Enqueue(state);
    }

    public void OnStateChanged(PeerState state) => Assert.Fail("Told without a reason.");

    public void OnAudio(ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel) => Assert.Fail("Told without its track.");

    public void OnAudio(RemoteTrack track, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel)
        => Audio.Enqueue((track, sequence, timestamp, opus.ToArray(), audioLevel));

    public void OnData(string label, ReadOnlySpan<byte> message)
    {
    }
}
