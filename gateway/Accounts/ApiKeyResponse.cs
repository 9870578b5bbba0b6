using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Accounts;

/// <summary><c>APIKey</c>. Keys are made by keys here, not by people who have signed in, so nobody is its creator.</summary>
internal sealed record ApiKeyResponse(string Prefix, DateTimeOffset Created, string? Creator, string Name, DateTimeOffset? ExpiryDate, bool Revoked)
{
    public static ApiKeyResponse From(ApiKeyDetails key) => new(key.Prefix, key.Created, null, key.Name, key.Expires, key.Revoked is not null);
}

/// <summary><c>APIKeyCreate</c>: the one answer that has the secret.</summary>
internal sealed record NewApiKeyResponse(
    string Prefix, DateTimeOffset Created, string? Creator, string Secret, bool Revoked, string Name, DateTimeOffset? ExpiryDate)
{
    public static NewApiKeyResponse From(NewApiKey made)
        => new(made.Details.Prefix, made.Details.Created, null, made.Key.Text, made.Details.Revoked is not null, made.Details.Name, made.Details.Expires);
}
