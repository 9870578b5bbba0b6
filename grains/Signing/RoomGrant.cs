namespace VoiceGrains.Grains.Signing;

/// <summary>What the holder of a room token may do.</summary>
/// <param name="Room">The only room that it opens: a call's id.</param>
/// <param name="Identity">Of the participant. <see cref="UserIdentity"/> talks with the agent; anybody else listens.</param>
public sealed record RoomGrant(string Room, string Identity)
{
    /// <summary>The person whom the agent talks with.</summary>
    public const string UserIdentity = "user";

    /// <summary>
    /// The unguessable part of the call's join URL, for a client that comes with nothing but its room token: with it the room starts the call. Null where the call
    /// was joined already.
    /// </summary>
    public string? JoinToken { get; init; }

    /// <summary>Shown to other participants; null for none.</summary>
    public string? Name { get; init; }

    /// <summary>Handed to other participants as it is; null for none.</summary>
    public string? Metadata { get; init; }

    public bool CanPublish { get; init; } = true;

    /// <summary>From what it may publish: <c>microphone</c>, <c>camera</c>, <c>screen_share</c>, <c>screen_share_audio</c>. Empty: from anything.</summary>
    public IReadOnlyList<string> CanPublishSources { get; init; } = [];

    public bool CanSubscribe { get; init; } = true;
    public bool CanPublishData { get; init; } = true;

    /// <summary>Other participants do not learn of this one. Default false.</summary>
    public bool Hidden { get; init; }
}
