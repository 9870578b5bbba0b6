namespace VoiceGrains.WebRtc.Sdp;

/// <summary>An offer that cannot be answered: what is wrong with it, in one short sentence that may be shown to the client.</summary>
public sealed class SdpException(string message) : FormatException(message)
{
    /// <summary>The offer may be fine, but not for this connection: the client should make another one.</summary>
    public bool NeedsNewConnection { get; init; }

    /// <summary>It has more characters or sections than any first offer.</summary>
    internal bool IsTooLarge { get; init; }
}
