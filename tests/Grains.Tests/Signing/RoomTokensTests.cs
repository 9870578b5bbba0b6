using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Signing;

/// <summary>Who may enter a room: the holder of a token of ours, while it holds, for what it says.</summary>
public sealed class RoomTokensTests
{
    private static readonly SecretKey Secret = new(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());
    private readonly ManualClock _clock = new();
    private readonly RoomTokens _tokens;

    public RoomTokensTests() => _tokens = new RoomTokens(Secret, _clock);

    [Fact]
    public void AToken_SaysAllThatWasGranted_OnEveryServerOfTheInstallation()
    {
        var grant = new RoomGrant("call-1", "listener") { JoinToken = "j", Name = "Zoë", Metadata = "{}", CanPublish = false, CanSubscribe = true, CanPublishData = false, Hidden = true };
        Assert.True(new RoomTokens(Secret, _clock).TryVerify(_tokens.Create(grant, TimeSpan.FromHours(1)), out var read, out var fault));
        Assert.Equal((grant, TokenFault.None), (read, fault));
        Assert.True(_tokens.TryVerify(_tokens.Create(grant with { CanPublishSources = ["microphone"] }, TimeSpan.FromHours(1)), out read, out _));
        Assert.Equal(["microphone"], read.CanPublishSources);
    }

    /// <summary>LiveKit's own tools read it: the three parts, their claims, and the signature of RFC 7515.</summary>
    [Fact]
    public void AToken_HasTheFormOfLiveKit()
    {
        var parts = _tokens.Create(new RoomGrant("call-1", RoomGrant.UserIdentity), TimeSpan.FromHours(6)).Split('.');
        Assert.Equal("""{"alg":"HS256","typ":"JWT"}""", Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])));
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        var expected = JsonNode.Parse($$$"""
            {"iss":"voicegrains","sub":"user","iat":{{{now}}},"nbf":{{{now}}},"exp":{{{now + 21_600}}},
             "video":{"roomJoin":true,"room":"call-1","canPublish":true,"canSubscribe":true,"canPublishData":true}}
            """);
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]));
        Assert.True(JsonNode.DeepEquals(expected, claims), $"{claims}");
    }

    /// <summary>The example of RFC 7515 appendix A.1, which is long over.</summary>
    [Fact]
    public void TheSignature_IsTheRfcs()
    {
        const string token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        var key = Base64Url.DecodeFromChars("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
        Assert.True(JsonWebToken.TryVerify(token, key, DateTimeOffset.FromUnixTimeSeconds(1_300_819_379), out var claims, out _));
        Assert.Equal("joe", claims["iss"]!.GetValue<string>());
        Assert.False(JsonWebToken.TryVerify(token, key, _clock.GetUtcNow(), out _, out var fault));
        Assert.Equal(TokenFault.Expired, fault);
    }

    [Fact]
    public void AToken_HoldsUntilItExpires_AndAMinuteForClocksThatDiffer()
    {
        var token = _tokens.Create(new RoomGrant("call-1", "user"), TimeSpan.FromMinutes(10));
        _clock.Advance(TimeSpan.FromMinutes(11) - TimeSpan.FromSeconds(1));
        Assert.True(_tokens.TryVerify(token, out _, out _));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_tokens.TryVerify(token, out var grant, out var fault));
        Assert.Equal((null, TokenFault.Expired), (grant, fault));
    }

    [Fact]
    public void EveryBitOfAToken_Counts()
    {
        var token = _tokens.Create(new RoomGrant("call-1", "user"), TimeSpan.FromHours(1));
        for (var i = 0; i < token.Length - 1; i++)     // the last character carries two bits that are not part of the signature
        {
            var forged = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.False(_tokens.TryVerify(forged, out _, out _), forged);
        }
    }

    [Fact]
    public void AnotherKey_AnotherPurpose_OrNoSignature_OpensNothing()
    {
        var grant = new RoomGrant("call-1", "user");
        var claims = new JsonObject { ["iss"] = "voicegrains", ["sub"] = "user", ["exp"] = 4_000_000_000, ["video"] = new JsonObject { ["roomJoin"] = true, ["room"] = "call-1" } };
        string[] forged =
        [
            new RoomTokens(new SecretKey(new byte[32]), _clock).Create(grant, TimeSpan.FromHours(1)),
            new ScopedTokens(Secret, _clock).Create(TokenScope.EndCall, "call-1", "a", _clock.GetUtcNow().AddHours(1)),
            JsonWebToken.Create(claims, Secret.Bytes),
            Unsigned("""{"alg":"none"}""", claims), Unsigned("""{"alg":"HS512"}""", claims), Unsigned("""{"alg":["HS256"]}""", claims), Unsigned("{", claims),
            "", ".", "..", "...", "a.b.c", new string('a', 9_000), "\ud800.\ud800.\ud800",
        ];
        Assert.All(forged, token => Assert.False(_tokens.TryVerify(token, out _, out _), token));
    }

    /// <summary>Signed by us, but not a room's: claims of any kind in any place.</summary>
    [Theory]
    [InlineData("""{"video":1}""")]
    [InlineData("""{"video":{"roomJoin":false}}""")]
    [InlineData("""{"video":{"roomJoin":"true"}}""")]
    [InlineData("""{"video":{"room":""}}""")]
    [InlineData("""{"video":{"room":7}}""")]
    [InlineData("""{"video":{"canPublishSources":"microphone"}}""")]
    [InlineData("""{"video":{"canPublishSources":["microphone",7]}}""")]
    [InlineData("""{"sub":null}""")]
    [InlineData("""{"iss":"somebody"}""")]
    [InlineData("""{"exp":"4000000000"}""")]
    [InlineData("""{"exp":null}""")]
    [InlineData("""{"exp":1e300}""")]
    [InlineData("""{"nbf":"x"}""")]
    [InlineData("""{"nbf":3999999999}""")]
    public void ASignedTokenWithoutTheGrant_OpensNothing(string change)
    {
        var key = DerivedKey.For(Secret, "room token");
        var claims = JsonNode.Parse("""{"iss":"voicegrains","sub":"user","exp":4000000000,"video":{"roomJoin":true,"room":"call-1"}}""")!.AsObject();
        Assert.True(_tokens.TryVerify(JsonWebToken.Create(claims, key), out _, out _));
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject())
        {
            if (value is JsonObject parts && claims[name] is JsonObject video) foreach (var (part, to) in parts) video[part] = to?.DeepClone();
            else claims[name] = value?.DeepClone();
        }
        Assert.False(_tokens.TryVerify(JsonWebToken.Create(claims, key), out _, out var fault));
        Assert.NotEqual(TokenFault.WrongSignature, fault);
    }

    [Fact]
    public void AScopedToken_IsGoodForItsScopeAndSubjectAlone()
    {
        var scoped = new ScopedTokens(Secret, _clock);
        var token = scoped.Create(TokenScope.EndCall, "call-1", "account-1", _clock.GetUtcNow().AddMinutes(5));
        Assert.Equal("account-1", scoped.Verify(TokenScope.EndCall, "call-1", token));
        Assert.Equal(("account-1", 0), (scoped.Verify(TokenScope.EndCall, "call-1", token, out var first), first));
        var later = scoped.Create(TokenScope.EndCall, "call-1", "account-1", _clock.GetUtcNow().AddMinutes(5), generation: 7);
        Assert.Equal(("account-1", 7), (scoped.Verify(TokenScope.EndCall, "call-1", later, out var second), second));
        Assert.Null(scoped.Verify(TokenScope.EndCall, "call-2", token));
        Assert.Null(scoped.Verify(TokenScope.Talk, "call-1", token));
        Assert.Null(new ScopedTokens(new SecretKey(new byte[32]), _clock).Verify(TokenScope.EndCall, "call-1", token));
        _clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Null(scoped.Verify(TokenScope.EndCall, "call-1", token));
    }

    private static string Unsigned(string header, JsonObject claims)
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData("key"u8, Encoding.UTF8.GetBytes(signed)))}";
    }
}
