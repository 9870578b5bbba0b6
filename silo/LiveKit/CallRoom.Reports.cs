using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;
using VoiceGrains.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>What clients show: who speaks, and how well the connection is.</summary>
internal sealed partial class CallRoom
{
    /// <summary>-35 dBov, from which on clients of the protocol call somebody a speaker.</summary>
    private static readonly float SpeakingLevel = LevelOf(35);
    private static readonly TimeSpan QualityPeriod = TimeSpan.FromSeconds(5);
    private float _userLevel;
    private bool _userSpeaks, _agentSpeaks;
    private DateTimeOffset _nextQuality;

    /// <summary>Of the user's connection; nothing where there is none.</summary>
    public PeerStatistics UserStatistics
    {
        get
        {
            lock (_gate) return FindUser()?.Peer?.Statistics ?? default;
        }
    }

    /// <summary>Only changes are told.</summary>
    private void TellSpeakers()
    {
        var (user, level, agentLevel) = (FindUser(), _userLevel, Port.TakeAgentLevel());
        _userLevel = 0;
        var (userSpeaks, agentSpeaks) = (user is not null && level >= SpeakingLevel, agentLevel >= SpeakingLevel);
        if (userSpeaks == _userSpeaks && agentSpeaks == _agentSpeaks) return;
        var changed = new SpeakersChanged();
        if (userSpeaks != _userSpeaks && user is not null) changed.Speakers.Add(Speaker(user.Sid, userSpeaks, level));
        if (agentSpeaks != _agentSpeaks) changed.Speakers.Add(Speaker(_agent.Sid, agentSpeaks, agentLevel));
        (_userSpeaks, _agentSpeaks) = (userSpeaks, agentSpeaks);
        var message = new SignalResponse { SpeakersChanged = changed };
        foreach (var participant in _participants.Values) participant.Signal?.TrySend(message);
    }

    private static SpeakerInfo Speaker(string sid, bool speaks, float level) => new() { Sid = sid, Active = speaks, Level = speaks ? level : 0 };

    /// <summary>Each its own, and all of them the user's; and the agent's sound is sent for the worst of those who hear it. Never as lost: clients that are told so throw away a connection that still works.</summary>
    private void TellQuality(DateTimeOffset now)
    {
        if (now < _nextQuality) return;
        _nextQuality = now + QualityPeriod;
        Port.ExpectLoss(_hearing.Select(static peer => peer.Quality.LossAtClient).DefaultIfEmpty().Max());
        foreach (var participant in _participants.Values)
        {
            if (participant is not { IsConnected: true, Peer: { } peer }) continue;
            var quality = Rate(peer.Quality);
            if (participant.Quality == quality) continue;
            participant.Quality = quality;
            var update = new ConnectionQualityInfo { ParticipantSid = participant.Sid, Quality = quality, Score = quality switch { ConnectionQuality.Excellent => 4.5f, ConnectionQuality.Good => 3.8f, _ => 2.5f } };
            var message = new SignalResponse { ConnectionQuality = new ConnectionQualityUpdate { Updates = { update } } };
            foreach (var one in _participants.Values) if (one == participant || participant.IsUser) one.Signal?.TrySend(message);
        }
    }

    /// <summary>By what Opus conceals well, conceals audibly, and does not.</summary>
    internal static ConnectionQuality Rate(PeerQuality quality)
        => quality.Loss > 0.08 || quality.RoundTrip > TimeSpan.FromMilliseconds(600) ? ConnectionQuality.Poor
        : quality.Loss > 0.02 || quality.RoundTrip > TimeSpan.FromMilliseconds(250) ? ConnectionQuality.Good
        : ConnectionQuality.Excellent;

    /// <summary>Amplitude, 0 to 1, of a level in -dBov (RFC 6464).</summary>
    private static float LevelOf(byte dbov) => MathF.Pow(10, -(dbov & 0x7F) / 20f);
}
