using VoiceGrains.GrainInterfaces.Accounts;

namespace VoiceGrains.Gateway.Accounts;

/// <summary><c>Account</c>. Nothing is charged here: the subscription fields say so.</summary>
internal sealed record AccountResponse
{
    public required Guid AccountId { get; init; }
    public required string Name { get; init; }
    public required string BillingUrl { get; init; }
    public TimeSpan FreeTimeUsed => TimeSpan.Zero;
    public TimeSpan FreeTimeRemaining => TimeSpan.Zero;
    public bool HasActiveSubscription => true;
    public required string SubscriptionTier { get; init; }
    public string? SubscriptionCadence => null;
    public DateTimeOffset? SubscriptionExpiration => null;
    public DateTimeOffset? SubscriptionScheduledUpdate => null;
    public DateTimeOffset? SubscriptionRenewal => null;
    public required int ActiveCalls { get; init; }
    public int? AllowedConcurrentCalls { get; init; }
    public required int AllowedVoices { get; init; }
    public int? AllowedCorpora => null;

    public static AccountResponse From(Account account, int activeCalls, int? allowedConcurrentCalls, int allowedVoices, string billingUrl) => new()
    {
        AccountId = account.AccountId,
        Name = account.Name,
        BillingUrl = billingUrl,
        SubscriptionTier = account.Plan,
        ActiveCalls = activeCalls,
        AllowedConcurrentCalls = allowedConcurrentCalls,
        AllowedVoices = allowedVoices,
    };
}
