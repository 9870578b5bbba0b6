using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Administration;

/// <summary>An account as those see it who run the server.</summary>
/// <param name="AllowedConcurrentCalls">Null as its plan says.</param>
/// <param name="Disabled">Since when; null while its keys are taken.</param>
/// <param name="RetentionDays">Null as the server is configured.</param>
/// <param name="ApiKeys">Those that work.</param>
/// <param name="ActiveCalls">Calls that wait for their client or talk.</param>
/// <param name="Calls">All that are kept.</param>
internal sealed record AdminAccountResponse(
    Guid AccountId, string Name, string Plan, int? AllowedConcurrentCalls, DateTimeOffset Created, DateTimeOffset? Disabled, int? RetentionDays, int ApiKeys, int Agents, int ActiveCalls, long Calls)
{
    public static AdminAccountResponse From(AccountOverview of)
    {
        var account = of.Account;
        return new(
            account.AccountId, account.Name, account.Plan, account.AllowedConcurrentCalls, account.Created, account.Disabled, account.RetentionDays,
            of.ApiKeys, of.Agents, of.ActiveCalls, of.Calls);
    }
}

/// <summary>The one answer with the key's secret.</summary>
internal sealed record AdminNewKeyResponse(Guid AccountId, string Prefix, string Name, DateTimeOffset Created, DateTimeOffset? ExpiryDate, string Secret)
{
    public static AdminNewKeyResponse From(Guid accountId, NewApiKey made)
        => new(accountId, made.Details.Prefix, made.Details.Name, made.Details.Created, made.Details.Expires, made.Key.Text);
}

internal sealed record AdminNewAccountResponse(AdminAccountResponse Account, AdminNewKeyResponse ApiKey);

/// <param name="EndedCalls">Calls that were told to end.</param>
internal sealed record AdminDisableResponse(AdminAccountResponse Account, int EndedCalls);

internal sealed record AdminKeyResponse(string Prefix, string Name, DateTimeOffset Created, DateTimeOffset? ExpiryDate, DateTimeOffset? Revoked, DateTimeOffset? LastUsed)
{
    public static AdminKeyResponse From(AdministeredKey key)
        => new(key.Details.Prefix, key.Details.Name, key.Details.Created, key.Details.Expires, key.Details.Revoked, key.LastUsed);
}

internal sealed record AdminRevokedKeyResponse(Guid AccountId, AdminKeyResponse ApiKey);
