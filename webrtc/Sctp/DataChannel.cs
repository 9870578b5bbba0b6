namespace VoiceGrains.WebRtc.Sctp;

/// <summary>Where a channel stands.</summary>
public enum DataChannelState
{
    /// <summary>Opened here; the association is not up yet.</summary>
    Connecting,
    Open,

    /// <summary>Its streams are being reset (RFC 8831 §6.7).</summary>
    Closing,
    Closed,
}

/// <summary>One data channel: a stream of each direction with the same number.</summary>
public sealed class DataChannel
{
    private int _state;

    internal DataChannel(ushort streamId, string label, DataChannelOptions options, DataChannelState state)
    {
        (StreamId, Label, Options) = (streamId, label, options);
        State = state;
    }

    public ushort StreamId { get; }
    public string Label { get; }
    public DataChannelOptions Options { get; }

    public DataChannelState State
    {
        get => (DataChannelState)Volatile.Read(ref _state);
        internal set => Volatile.Write(ref _state, (int)value);
    }

    /// <summary>An unordered channel sends in order until the peer has acknowledged its opening, lest data overtake it (RFC 8832 §6).</summary>
    internal bool IsAcknowledged { get; set; }

    internal bool IsIncomingReset { get; set; }
    internal bool IsOutgoingReset { get; set; }

    /// <summary>Opened by the peer before its answer to the reset of our side of the stream was here: until then nothing can be sent on it.</summary>
    internal bool AwaitsReset { get; set; }
}
