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

    [Theory]
    [InlineData("BillingUsageDay", """{"date":"2026-01-31","minutes":1.5,"sipMinutes":0}""", """{"date":"31.1.2026","minutes":1.5,"sipMinutes":0}""")]
    [InlineData("WebhookFailure", """{"timestamp":"2026-01-31T12:00:00.5Z","failure":""}""", """{"timestamp":"2026-01-31 12:00","failure":""}""")]
    [InlineData("EventsEnum", "\"call.ended\"", "\"call.nonsense\"")]
    [InlineData("CallThrottleRule", """{"maxCalls":1,"windowSeconds":86400}""", """{"maxCalls":0,"windowSeconds":86400}""")]
    [InlineData("CallThrottleRule", """{"maxCalls":100,"windowSeconds":1}""", """{"maxCalls":1.5,"windowSeconds":1}""")]
    [InlineData("PaginatedInvoiceList", """{"results":[],"next":null,"previous":"https://a.example/?cursor=x"}""", """{"results":[],"next":null,"previous":"/?cursor=x"}""")]
    [InlineData("CallSipDetails", """{"billedDuration":null,"terminationReason":"SIP_TERMINATION_BUSY"}""", """{"billedDuration":null,"terminationReason":"BUSY"}""")]
    [InlineData("ultravox.v1.TimedMessage", """{"duration":"1.5s"}""", """{"duration":"90"}""")]
    [InlineData("ultravox.v1.CallMedium_WebSocketMedium", """{"inputSampleRate":8000}""", """{"inputSampleRate":2147483648}""")]
    [InlineData("TwilioConfig", "{" + Twilio + "}", "{\"authToken\":\"secret\"," + Twilio + "}")]
    [InlineData("Webhook", Webhook, """{"webhookId":"11111111-2222-3333-4444-555555555555"}""")]
    public async Task EachRule_IsHeldAgainst(string schema, string right, string wrong)
    {
        await OpenApiContract.AssertMatchesAsync(schema, Parse(right));
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => OpenApiContract.AssertMatchesAsync(schema, Parse(wrong)));
    }

    private const string Twilio = """
        "callCreationAllowedAgentIds":[],"callCreationAllowAllAgents":false,"requestContextMapping":{},"accountSid":"a","authTokenPrefix":{"prefix":"x"}
        """;

    private const string Webhook = """
        {"webhookId":"11111111-2222-3333-4444-555555555555","agentId":null,"created":"2026-01-31T12:00:00Z","url":"https://a.example","secrets":[],"events":["call.ended"],
         "status":"normal","lastStatusChange":null,"recentFailures":[]}
        """;

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
