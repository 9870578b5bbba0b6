namespace VoiceGrains.WebRtc.Dtls;

/// <summary>Who speaks first (RFC 8842 §5): <c>a=setup:active</c> is the client, <c>a=setup:passive</c> the server.</summary>
public enum DtlsRole
{
    Client,
    Server,
}
