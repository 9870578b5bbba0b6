namespace VoiceGrains.Grains.Accounts;

/// <summary>What an account sees of a key that it keeps.</summary>
/// <param name="Prefix">Names the key.</param>
/// <param name="Name">The owner's words for it, at most 50 characters; need not be unique.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">From when on it is refused; null for never.</param>
/// <param name="Revoked">Since when it is refused for good; null while it is not revoked.</param>
public sealed record ApiKeyDetails(string Prefix, string Name, DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Revoked);

/// <param name="Details">As it can be read from now on.</param>
/// <param name="Key">With its secret, for the only time.</param>
public sealed record NewApiKey(ApiKeyDetails Details, ApiKey Key);
