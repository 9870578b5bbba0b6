using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Gateway.Webhooks;

/// <summary><c>Webhook</c> as it is created and replaced.</summary>
[ReadOnlyFields("webhookId", "created", "status", "lastStatusChange", "recentFailures")]
internal sealed record WebhookRequest
{
    public Guid? AgentId { get; init; }
    [StringLength(200), WireUrl("https", "http")] public required string Url { get; init; }
    [MaxLength(10)] public IReadOnlyList<string>? Secrets { get; init; }
    public required IReadOnlyList<WebhookEvent> Events { get; init; }
}

/// <summary><c>PatchedWebhook</c>: what is not given stays.</summary>
[ReadOnlyFields("webhookId", "created", "status", "lastStatusChange", "recentFailures")]
internal sealed record WebhookPatch
{
    public Guid? AgentId { get; init; }
    [StringLength(200), WireUrl("https", "http")] public string? Url { get; init; }
    [MaxLength(10)] public IReadOnlyList<string>? Secrets { get; init; }
    public IReadOnlyList<WebhookEvent>? Events { get; init; }
}
