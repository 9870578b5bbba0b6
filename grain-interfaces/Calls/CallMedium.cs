using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.CallMedium</c>: at most one is set; none means WebRTC.</summary>
[AtMostOne("webRtc", "twilio", "serverWebSocket", "telnyx", "plivo", "exotel", "sip")]
public sealed record CallMedium
{
    public WebRtcMedium? WebRtc { get; init; }
    public TwilioMedium? Twilio { get; init; }
    public WebSocketMedium? ServerWebSocket { get; init; }
    public TelnyxMedium? Telnyx { get; init; }
    public PlivoMedium? Plivo { get; init; }
    public ExotelMedium? Exotel { get; init; }
    public SipMedium? Sip { get; init; }
}
