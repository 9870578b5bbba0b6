using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.CallMedium_WebRtcMedium</c>.</summary>
public sealed record WebRtcMedium { public EnabledDataMessages? DataMessages { get; init; } }

/// <summary><c>ultravox.v1.CallMedium_TwilioMedium</c>.</summary>
public sealed record TwilioMedium { public OutgoingCallParams? Outgoing { get; init; } public DtmfHandling? DtmfHandling { get; init; } }

/// <summary><c>ultravox.v1.CallMedium_TelnyxMedium</c>.</summary>
public sealed record TelnyxMedium { public OutgoingCallParams? Outgoing { get; init; } public DtmfHandling? DtmfHandling { get; init; } }

/// <summary><c>ultravox.v1.CallMedium_PlivoMedium</c>.</summary>
public sealed record PlivoMedium { public OutgoingCallParams? Outgoing { get; init; } public DtmfHandling? DtmfHandling { get; init; } }

/// <summary><c>ultravox.v1.CallMedium_ExotelMedium</c>.</summary>
public sealed record ExotelMedium { public DtmfHandling? DtmfHandling { get; init; } }

/// <summary><c>ultravox.v1.CallMedium_SipMedium</c>: exactly one is set.</summary>
[AtMostOne("incoming", "outgoing", Required = true)]
public sealed record SipMedium { public SipIncoming? Incoming { get; init; } public SipOutgoing? Outgoing { get; init; } }

/// <summary><c>ultravox.v1.SipMedium_SipIncoming</c>.</summary>
public sealed record SipIncoming;

/// <summary><c>ultravox.v1.SipMedium_SipOutgoing</c>.</summary>
public sealed record SipOutgoing
{
    public string? To { get; init; }
    public string? From { get; init; }
    public string? Username { get; init; }
    [Secret] public string? Password { get; init; }
}

/// <summary>Twilio, Telnyx and Plivo <c>OutgoingRequestParams</c>.</summary>
public sealed record OutgoingCallParams
{
    public string? To { get; init; }
    public string? From { get; init; }
    public JsonObject? AdditionalParams { get; init; }
}

/// <summary><c>ultravox.v1.CallMedium_DtmfHandling</c>.</summary>
public sealed record DtmfHandling { public bool? Ignore { get; init; } public DtmfUserTextMessage? UserTextMessage { get; init; } }

/// <summary><c>ultravox.v1.CallMedium_DtmfUserTextMessage</c>.</summary>
public sealed record DtmfUserTextMessage { public string? Text { get; init; } public Urgency? Urgency { get; init; } }

/// <summary>When a message is answered.</summary>
public enum Urgency : byte
{
    [JsonStringEnumMemberName("URGENCY_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("URGENCY_IMMEDIATE")] Immediate = 1,
    [JsonStringEnumMemberName("URGENCY_SOON")] Soon = 2,
    [JsonStringEnumMemberName("URGENCY_LATER")] Later = 3,
}
