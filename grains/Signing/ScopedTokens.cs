using System.Text.Json.Nodes;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Signing;

/// <summary>What a scoped token is good for: one thing, for one subject.</summary>
public enum TokenScope : byte
{
    /// <summary>Ending the call that is its subject.</summary>
    EndCall,

    /// <summary>Starting calls of the agent that is its subject, from the talk page.</summary>
    Talk,
}

/// <summary>Tokens that let somebody without an API key do one thing until a time. Nothing of them is stored. Safe for concurrent use.</summary>
public sealed class ScopedTokens(SecretKey secret, TimeProvider clock)
{
    private readonly byte[][] _keys = [DerivedKey.For(secret, "end-call token"), DerivedKey.For(secret, "talk token")];

    /// <param name="accountId">Whose subject it is.</param>
    public string Create(TokenScope scope, string subject, string accountId, DateTimeOffset expires)
        => JsonWebToken.Create(new JsonObject { ["sub"] = subject, ["account"] = accountId, ["exp"] = expires.ToUnixTimeSeconds() }, _keys[(int)scope]);

    /// <summary>The account behind a token that holds now for this scope and subject; null for any other text. Never throws.</summary>
    public string? Verify(TokenScope scope, string subject, string token)
        => JsonWebToken.TryVerify(token, _keys[(int)scope], clock.GetUtcNow(), out var claims, out _) && JsonWebToken.Text(claims, "sub") == subject
            ? JsonWebToken.Text(claims, "account") : null;
}
