namespace VoiceGrains.WebRtc;

/// <summary>One audio stream of the client as it is received. Another instance stands for another stream, whose sequence numbers and timestamps start anew.</summary>
/// <param name="Mid">Its section of the SDP.</param>
/// <param name="StreamId">First id of the section's a=msid; null without one.</param>
/// <param name="TrackId">Second id of a=msid: what LiveKit clients call the track's "cid".</param>
/// <param name="Ssrc">Its synchronization source.</param>
public sealed record RemoteTrack(string Mid, string? StreamId, string? TrackId, uint Ssrc);
