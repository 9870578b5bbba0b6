using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces;
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

    [Fact]
    public async Task WrongKeys_AreSlowedDownByAddress_AndKeysKnownToBeRightAreNot()
    {
        using var client = await silo.CreateClientAsync();
        using var strangers = CreateStrangers(perSecond: 3);
        using var verifier = CreateVerifier(strangers);
        var (bad, good) = (IPAddress.Parse("2001:db8::1"), IPAddress.Parse("192.0.2.1"));
        Assert.NotNull(await VerifyAsync(verifier, client.Key, bad));
        var unseen = (await client.PostAsync("/api/api_keys", """{"name":"n"}""")).Json.GetProperty("secret").GetString()!;
        for (var guess = 0; guess < 3; guess++)
        {
            Assert.Null(await VerifyAsync(verifier, ApiKey.Create().Text, bad));
            using var taken = strangers.Take(IPAddress.Parse($"2001:db8::{guess + 2}"));     // one customer's addresses are one
        }

        // Whether a key is right cannot be found out now, but the address's other client goes on, cached or not.
        var refused = await Assert.ThrowsAsync<PlatformException>(() => VerifyAsync(verifier, unseen, bad));
        Assert.Equal((429, TimeSpan.FromSeconds(1 / 3d)), (refused.Code.Status, refused.RetryAfter));
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.NotNull(await VerifyAsync(verifier, client.Key, bad));
        Assert.NotNull(await VerifyAsync(verifier, unseen, good));
        var another = (await client.PostAsync("/api/api_keys", """{"name":"n"}""")).Json.GetProperty("secret").GetString()!;
        await Assert.ThrowsAsync<PlatformException>(() => VerifyAsync(verifier, another, bad));
        _clock.Advance(refused.RetryAfter!.Value);
        Assert.NotNull(await VerifyAsync(verifier, another, bad));

        while (strangers.Take(bad).IsAcquired) { }
        _clock.Advance(ApiKeyVerifier.CacheTime);       // refills the bucket as well
        for (var guess = 0; guess < 3; guess++) strangers.Take(bad).Dispose();
        Assert.NotNull(await VerifyAsync(verifier, client.Key, bad));
    }

    [Fact]
    public async Task ADisabledAccountsClientThatNeverStopsAsking_IsSlowedDownByAddress()
    {
        using var client = await silo.CreateClientAsync();
        using var strangers = CreateStrangers(perSecond: 3);
        using var verifier = CreateVerifier(strangers);
        await silo.Services.GetRequiredService<AccountAdministration>().DisableAsync(client.Account.AccountId, SiloFixture.Cancel);
        var statuses = new List<int>();
        for (var i = 0; i < 5; i++) statuses.Add((await Assert.ThrowsAsync<PlatformException>(() => VerifyAsync(verifier, client.Key, IPAddress.Loopback))).Code.Status);
        Assert.Equal([403, 403, 403, 429, 429], statuses);
    }

    private StrangerLimit CreateStrangers(int perSecond)
        => new(Options.Create(new GatewayOptions { AnonymousRequestsPerSecond = perSecond }), silo.Services.GetRequiredService<LimitRefusals>(), _clock);

    private ApiKeyVerifier CreateVerifier(StrangerLimit? strangers = null) => new(
        silo.Services.GetRequiredService<AccountStore>(), silo.Services.GetRequiredService<DatabaseWatch>(), strangers ?? silo.Services.GetRequiredService<StrangerLimit>(),
        _clock, NullLogger<ApiKeyVerifier>.Instance);

    private static async Task<(Guid Account, string Prefix)?> VerifyAsync(ApiKeyVerifier verifier, string key, IPAddress? from = null)
        => await verifier.VerifyAsync(key, from, SiloFixture.Cancel) is { } caller ? (caller.Account.AccountId, caller.KeyPrefix) : null;
}
