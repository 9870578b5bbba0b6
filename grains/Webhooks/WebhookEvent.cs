using System.Text.Json.Serialization;

namespace VoiceGrains.Grains.Webhooks;

/// <summary><c>EventsEnum</c>, in the order in which a call has them. Stored and sent by name.</summary>
public enum WebhookEvent : byte
{
    [JsonStringEnumMemberName("call.started")] Started = 0,
    [JsonStringEnumMemberName("call.joined")] Joined = 1,
    [JsonStringEnumMemberName("call.ended")] Ended = 2,
    [JsonStringEnumMemberName("call.billed")] Billed = 3,
}

internal static class WebhookEvents
{
    public static string Name(this WebhookEvent happened) => happened switch
    {
        WebhookEvent.Started => "call.started",
        WebhookEvent.Joined => "call.joined",
        WebhookEvent.Ended => "call.ended",
        _ => "call.billed",
    };

    public static WebhookEvent Parse(string name) => name switch
    {
        "call.started" => WebhookEvent.Started,
        "call.joined" => WebhookEvent.Joined,
        "call.ended" => WebhookEvent.Ended,
        _ => WebhookEvent.Billed,
    };
}
