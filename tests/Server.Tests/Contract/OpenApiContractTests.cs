using System.Text.Json;

namespace VoiceGrains.Server.Tests.Contract;

/// <summary>A judge that lets everything pass would prove nothing.</summary>
public sealed class OpenApiContractTests
{
    private const string Right = """{"agentId":"11111111-2222-3333-4444-555555555555","name":"n"}""";

    [Fact]
    public Task WhatIsDescribed_Passes() => OpenApiContract.AssertMatchesAsync("AgentBasic", Parse(Right));

    [Theory]
    [InlineData("""{"name":"n"}""")]
    [InlineData("""{"agentId":"11111111-2222-3333-4444-555555555555","name":null}""")]
    [InlineData("""{"agentId":"11111111-2222-3333-4444-555555555555","name":1}""")]
    [InlineData("""{"agentId":"11111111-2222-3333-4444-555555555555","name":"n","more":1}""")]
    [InlineData("""{"agentId":"someone","name":"n"}""")]
    [InlineData("[]")]
    public Task WhatIsNot_Fails(string json)
        => Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => OpenApiContract.AssertMatchesAsync("AgentBasic", Parse(json)));

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
