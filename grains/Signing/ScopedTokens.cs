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
    private const string Generation = "generation";

    private readonly byte[][] _keys = [DerivedKey.For(secret, "end-call token"), DerivedKey.For(secret, "talk token")];

    /// <param name="accountId">Whose subject it is.</param>
    /// <param name="generation">Lets whoever keeps a count of its own take back all tokens that were made before it rose.</param>
    public string Create(TokenScope scope, string subject, string accountId, DateTimeOffset expires, int generation = 0)
        => JsonWebToken.Create(new JsonObject { ["sub"] = subject, ["account"] = accountId, ["exp"] = expires.ToUnixTimeSeconds(), [Generation] = generation }, _keys[(int)scope]);

    /// <summary>The account behind a token that holds now for this scope and subject; null for any other text. Never throws.</summary>
    public string? Verify(TokenScope scope, string subject, string token) => Verify(scope, subject, token, out _);

    /// <summary>As <see cref="Verify(TokenScope, string, string)"/>.</summary>
    /// <param name="generation">As it was created; 0 for one that tells none.</param>
    public string? Verify(TokenScope scope, string subject, string token, out int generation)
    {
        generation = 0;
        if (!JsonWebToken.TryVerify(token, _keys[(int)scope], clock.GetUtcNow(), out var claims, out _) || JsonWebToken.Text(claims, "sub") != subject) return null;
        if (claims[Generation] is JsonValue value && value.TryGetValue<int>(out var given)) generation = given;
        return JsonWebToken.Text(claims, "account");
    }
}
