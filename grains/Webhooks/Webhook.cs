using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Webhooks;

/// <summary><c>Webhook</c>: where an account wants to be told of its calls' events.</summary>
public sealed record Webhook
{
    public required Guid WebhookId { get; init; }
    public required string AccountId { get; init; }
    /// <summary>Only calls of this agent; null for all of the account's.</summary>
    public string? AgentId { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required string Url { get; init; }
    /// <summary>Each signs every request. None: requests are not signed.</summary>
    public required IReadOnlyList<string> Secrets { get; init; }
    public required IReadOnlyList<WebhookEvent> Events { get; init; }
    public WebhookStatus Status { get; init; }
    public DateTimeOffset? LastStatusChange { get; init; }
    /// <summary>Newest first, at most ten.</summary>
    public IReadOnlyList<WebhookFailure> RecentFailures { get; init; } = [];
}

/// <summary>Stored by name.</summary>
public enum WebhookStatus : byte
{
    [JsonStringEnumMemberName("normal")] Normal = 0,
    [JsonStringEnumMemberName("unhealthy")] Unhealthy = 1,
}

/// <param name="Failure">In words for the tenant.</param>
public sealed record WebhookFailure(DateTimeOffset Timestamp, string Failure);

/// <summary>As they are stored.</summary>
internal sealed record WebhookSecrets([property: Secret] IReadOnlyList<string> Secrets);
