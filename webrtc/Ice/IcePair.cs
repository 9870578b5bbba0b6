namespace VoiceGrains.WebRtc.Ice;

/// <summary>A validated remote address of one agent (RFC 8445 §7.3.2), in use while the peer's checks on it continue.</summary>
internal sealed class IcePair(IceLiteAgent agent, IcePath path, uint priority)
{
    private long _lastCheck;

    public IceLiteAgent Agent => agent;

    public IcePath Path => path;

    /// <summary>Of the peer-reflexive candidate, as its first check gave it.</summary>
    public uint Priority => priority;

    /// <summary>Timestamp of the newest authenticated check.</summary>
    public long LastCheck { get => Volatile.Read(ref _lastCheck); set => Volatile.Write(ref _lastCheck, value); }
}
