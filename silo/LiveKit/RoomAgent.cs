using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>The agent as clients see it: a participant that is there before them and publishes one track from the start.</summary>
internal sealed class RoomAgent(string name, TimeProvider clock)
{
    public const string Identity = "agent";
    private const string TrackName = "audio";
    private readonly DateTimeOffset _joined = clock.GetUtcNow();

    public string Sid { get; } = RoomSid.Participant();

    public string TrackSid { get; } = RoomSid.Track();

    /// <summary>Clients split the first part at the bar: whose track it is, and which.</summary>
    public AgentTrackIds Track => new($"{Sid}|{TrackSid}", TrackSid);

    public ParticipantInfo ToInfo() => new()
    {
        Sid = Sid,
        Identity = Identity,
        Name = name,
        State = ParticipantInfo.Types.State.Active,
        Kind = ParticipantInfo.Types.Kind.Agent,
        JoinedAt = _joined.ToUnixTimeSeconds(),
        JoinedAtMs = _joined.ToUnixTimeMilliseconds(),
        Version = 1,
        IsPublisher = true,
        Permission = new ParticipantPermission { CanPublish = true, CanPublishData = true, CanSubscribe = true },
        Tracks = { new TrackInfo { Sid = TrackSid, Type = TrackType.Audio, Name = TrackName, Source = TrackSource.Microphone, MimeType = "audio/opus" } },
    };
}
