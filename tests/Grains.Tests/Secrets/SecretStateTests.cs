using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Tests.Secrets;

public sealed class SecretStateTests
{
    private static readonly JsonSerializerOptions Plain = new(JsonSerializerDefaults.Web);
    private static readonly SecretBox Box = new(new SecretKey(RandomNumberGenerator.GetBytes(32)));
    private static readonly JsonSerializerOptions Protected = SecretState.Protect(Plain, Box);

    private static readonly CallTool Tool = new()
    {
        CallToolId = "1", Name = "look", Definition = new CallToolDefinition(), AuthHeaders = new Dictionary<string, string> { ["X-Key"] = "t0ken" },
    };

    [Fact]
    public void SecretProperties_AreStoredSealedAndReadBack()
    {
        var json = JsonSerializer.Serialize(new Holder([Tool]), Protected);
        Assert.DoesNotContain("t0ken", json, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Key", json, StringComparison.Ordinal);
        Assert.Contains("look", json, StringComparison.Ordinal);
        var tool = Assert.Single(JsonSerializer.Deserialize<Holder>(json, Protected)!.Tools);
        Assert.Equal("t0ken", tool.AuthHeaders["X-Key"]);
        Assert.Empty(tool.AuthQueryParams);
    }

    [Fact]
    public void WhatHoldsNothing_NeedsNoBox()
    {
        var stored = JsonNode.Parse(JsonSerializer.Serialize(Tool, Protected))!;
        Assert.Empty(stored["authQueryParams"]!.AsObject());
        Assert.Empty(stored["secretParameters"]!.AsObject());
        Assert.StartsWith("box1:", stored["authHeaders"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWasStoredPlain_IsStillRead()
        => Assert.Equal("t0ken", JsonSerializer.Deserialize<CallTool>(JsonSerializer.Serialize(Tool, Plain), Protected)!.AuthHeaders["X-Key"]);

    [Fact]
    public void Null_StaysNull()
    {
        var json = JsonSerializer.Serialize(new SelectedTool { ToolName = "a" }, Protected);
        Assert.Null(JsonNode.Parse(json)!["authTokens"]);
        Assert.Null(JsonSerializer.Deserialize<SelectedTool>(json, Protected)!.AuthTokens);
    }

    [Fact]
    public void TheSameSecret_NeverLooksTheSame()
        => Assert.NotEqual(Box.Seal("secret"u8, "place"), Box.Seal("secret"u8, "place"));

    [Fact]
    public void ABox_OpensOnlyInItsPlaceWithItsKeyAndUntouched()
    {
        var box = Box.Seal("secret"u8, "place");
        Assert.Equal("secret", Encoding.UTF8.GetString(Box.Open(box, "place")));
        Assert.ThrowsAny<CryptographicException>(() => Box.Open(box, "other place"));
        Assert.ThrowsAny<CryptographicException>(() => new SecretBox(new SecretKey(new byte[32])).Open(box, "place"));
        var bytes = Convert.FromBase64String(box[5..]);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => Box.Open("box1:" + Convert.ToBase64String(bytes), "place"));
            bytes[i] ^= 1;
        }
        foreach (var damaged in (string[])["", "box1:", "box1:!!", "box1:AAAA", box[..20]]) Assert.ThrowsAny<CryptographicException>(() => Box.Open(damaged, "place"));
    }

    private sealed record Holder(IReadOnlyList<CallTool> Tools);
}
