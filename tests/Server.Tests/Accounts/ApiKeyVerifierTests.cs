using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Accounts;

/// <summary>What a gateway does with a key that ended elsewhere: one of its own, on the same database, with a clock that the test moves.</summary>
public sealed class ApiKeyVerifierTests(SiloFixture silo)
{
    private readonly ManualClock _clock = new();

    [Theory]
    [InlineData("PATCH", """{"revoked":true}""")]
    [InlineData("DELETE", null)]
    public async Task AKeyThatEndedOnAnotherGateway_IsRefusedWithinTheCacheTime(string method, string? body)
    {
        using var client = await silo.CreateClientAsync();
        using var verifier = CreateVerifier();
        var key = (await client.PostAsync("/api/api_keys", """{"name":"n"}""")).Json.GetProperty("secret").GetString()!;
        Assert.Equal((client.Account.AccountId, key[..8]), await VerifyAsync(verifier, key));

        Assert.InRange((await client.SendAsync(new(method), "/api/api_keys/" + key[..8], body)).Status, 200, 204);
        _clock.Advance(ApiKeyVerifier.CacheTime - TimeSpan.FromTicks(1));
        Assert.NotNull(await VerifyAsync(verifier, key));   // it is the cache that is tested
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(await VerifyAsync(verifier, key));
    }

    [Fact]
    public async Task AKeyThatExpires_IsRefusedOnTime_WhateverIsCached()
    {
        using var client = await silo.CreateClientAsync();
        using var verifier = CreateVerifier();
        var expiry = _clock.GetUtcNow() + (ApiKeyVerifier.CacheTime / 2);
        var key = (await client.PostAsync("/api/api_keys", new { name = "n", expiryDate = expiry })).Json.GetProperty("secret").GetString()!;
        _clock.Advance((ApiKeyVerifier.CacheTime / 2) - TimeSpan.FromTicks(1));
        Assert.NotNull(await VerifyAsync(verifier, key));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(await VerifyAsync(verifier, key));
    }

    [Fact]
    public async Task AnotherSecretOfACachedPrefix_IsRefused_AndTheRightOneGoesOn()
    {
        using var client = await silo.CreateClientAsync();
        using var verifier = CreateVerifier();
        var wrong = client.Key[..^1] + (client.Key[^1] == 'a' ? 'b' : 'a');
        Assert.Null(await VerifyAsync(verifier, wrong));
        Assert.NotNull(await VerifyAsync(verifier, client.Key));
        Assert.Null(await VerifyAsync(verifier, wrong));
        Assert.NotNull(await VerifyAsync(verifier, client.Key));
    }

    private ApiKeyVerifier CreateVerifier() => new(
        silo.Services.GetRequiredService<AccountStore>(), silo.Services.GetRequiredService<DatabaseWatch>(), _clock, NullLogger<ApiKeyVerifier>.Instance);

    private static async Task<(Guid Account, string Prefix)?> VerifyAsync(ApiKeyVerifier verifier, string key)
        => await verifier.VerifyAsync(key, SiloFixture.Cancel) is { } caller ? (caller.Account.AccountId, caller.KeyPrefix) : null;
}
