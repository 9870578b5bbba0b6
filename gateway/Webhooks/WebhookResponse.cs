using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Gateway.Webhooks;

/// <summary><c>Webhook</c>. The secrets are in every answer, as documented: only its owner can ask.</summary>
internal sealed record WebhookResponse(
    Guid WebhookId, string? AgentId, DateTimeOffset Created, string Url, IReadOnlyList<string> Secrets, IReadOnlyList<WebhookEvent> Events,
    WebhookStatus Status, DateTimeOffset? LastStatusChange, IReadOnlyList<WebhookFailure> RecentFailures)
{
    public static WebhookResponse From(Webhook webhook) => new(
        webhook.WebhookId, webhook.AgentId, webhook.Created, webhook.Url, webhook.Secrets, webhook.Events, webhook.Status, webhook.LastStatusChange, webhook.RecentFailures);
}
