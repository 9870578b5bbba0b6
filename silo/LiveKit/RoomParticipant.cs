using VoiceGrains.Grains.Signing;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>One client in a room, from its join until it leaves or joins anew; its signalling may be lost and come back. Guarded by the room.</summary>
internal sealed class RoomParticipant
{
    /// <summary>All of it together, characters.</summary>
    public const int LongestMetadata = 16 * 1024;

    private readonly DateTimeOffset _joined;
    private uint _version = 1;

    public RoomParticipant(RoomGrant grant, RoomJoin join, TimeProvider clock)
    {
        (Grant, _joined) = (grant, clock.GetUtcNow());
        (Name, Metadata) = (grant.Name ?? "", join.Metadata ?? grant.Metadata ?? "");
        IsUser = grant.Identity == RoomGrant.UserIdentity;
        IsSubscribed = join.AutoSubscribe;
        Sources = [.. grant.CanPublishSources.Select(SourceOf).OfType<TrackSource>()];
        NextToken = _joined;
        DataRate = new TokenBucket(CallRoom.DataPacketsPerSecond, CallRoom.DataPacketBurst, clock);
        ByteRate = new TokenBucket(CallRoom.DataBytesPerSecond, CallRoom.DataByteBurst, clock);
        OfferRate = new TokenBucket(CallRoom.OffersPerSecond, CallRoom.OfferBurst, clock);
    }

    public string Sid { get; } = RoomSid.Participant();

    public RoomGrant Grant { get; }

    public string Identity => Grant.Identity;

    /// <summary>Whether this is whom the agent talks with; all others listen.</summary>
    public bool IsUser { get; }

    /// <summary>Whether it may publish from anywhere. A list of nothing but sources that nobody knows does not allow any.</summary>
    private bool CanPublish => Grant.CanPublish && (Grant.CanPublishSources.Count == 0 || Sources.Count > 0);

    private IReadOnlyList<TrackSource> Sources { get; }

    public string Name { get; set; }
    public string Metadata { get; set; }
    public Dictionary<string, string> Attributes { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Null while it is lost.</summary>
    public SignalSocket? Signal { get; set; }

    /// <summary>Null until the first offer.</summary>
    public IRoomPeer? Peer { get; set; }

    /// <summary>Whether media flow.</summary>
    public bool IsConnected { get; set; }

    /// <summary>Whether they did once.</summary>
    public bool WasConnected { get; set; }

    /// <summary>When signalling or media were last there: a listener without either is forgotten.</summary>
    public DateTimeOffset LastSeen { get; set; }

    /// <summary>Null: none is published.</summary>
    public PublishedTrack? Microphone { get; set; }

    /// <summary>Whether it has the agent's track.</summary>
    public bool IsSubscribed { get; set; }

    /// <summary>Whether it wants to hear it now.</summary>
    public bool IsListening { get; set; } = true;

    /// <summary>Of the last reliable packet that came; a smaller one was sent again.</summary>
    public uint LastSequence { get; set; }

    public DateTimeOffset NextToken { get; set; }

    public ConnectionQuality? Quality { get; set; }

    public TokenBucket DataRate { get; }
    public TokenBucket ByteRate { get; }
    public TokenBucket OfferRate { get; }

    /// <summary>Whether the agent's sound goes to it.</summary>
    public bool IsHearing => IsConnected && IsSubscribed && IsListening && Grant.CanSubscribe;

    /// <summary>Whether its peer connected and ended: its client has keys of a connection that is no more.</summary>
    public bool HasLostPeer => WasConnected && Peer is null;

    /// <summary>Whether its token lets it publish from there. No list of sources is all of them.</summary>
    public bool MayPublish(TrackSource source) => CanPublish && (Sources.Count == 0 || Sources.Contains(source));

    /// <summary>Clients ignore what has no higher version than they know.</summary>
    public void Changed() => _version++;

    public ParticipantInfo ToInfo(ParticipantInfo.Types.State? state = null)
    {
        var info = new ParticipantInfo
        {
            Sid = Sid,
            Identity = Identity,
            Name = Name,
            Metadata = Metadata,
            State = state ?? (WasConnected ? ParticipantInfo.Types.State.Active : ParticipantInfo.Types.State.Joined),
            JoinedAt = _joined.ToUnixTimeSeconds(),
            JoinedAtMs = _joined.ToUnixTimeMilliseconds(),
            Version = _version,
            IsPublisher = Microphone is not null,
            Permission = new ParticipantPermission
            {
                CanSubscribe = Grant.CanSubscribe, CanPublish = CanPublish, CanPublishData = Grant.CanPublishData, Hidden = Grant.Hidden, CanUpdateMetadata = true,
            },
        };
        info.Permission.CanPublishSources.Add(Sources);
        info.Attributes.Add(Attributes);
        if (Microphone is { } microphone) info.Tracks.Add(microphone.Info);
        return info;
    }

    /// <summary>Of metadata with attributes, characters.</summary>
    public static int Length(string metadata, IEnumerable<KeyValuePair<string, string>> attributes) => metadata.Length + attributes.Sum(static pair => pair.Key.Length + pair.Value.Length);

    private static TrackSource? SourceOf(string name) => name switch
    {
        "camera" => TrackSource.Camera,
        "microphone" => TrackSource.Microphone,
        "screen_share" => TrackSource.ScreenShare,
        "screen_share_audio" => TrackSource.ScreenShareAudio,
        _ => null,
    };
}

/// <summary>A microphone.</summary>
/// <param name="Cid">The client's name for it.</param>
/// <param name="Info">What others are told.</param>
internal sealed record PublishedTrack(string Cid, TrackInfo Info)
{
    /// <summary>How the first offer had it, so that one without it takes it back; null before.</summary>
    public OfferedTrack? Offered { get; set; }

    /// <summary>Whether its client was told that somebody hears it.</summary>
    public bool IsHeard { get; set; }
}
