using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>Unmodified clients in Debian's Chromium, and what the server knows of their calls afterwards. What they see themselves is asserted in <c>tests/Browser</c>.</summary>
public sealed class BrowserCallTests(BrowserCalls calls) : IClassFixture<BrowserCalls>
{
    [Fact]
    public async Task TheTalkPage_IsHeardInterruptedTypedToReloadedAndHungUpOn()
    {
        var call = await EndedAsync("talk", "agent_hangup");
        Assert.StartsWith("web_0.5.0:talk", call.GetProperty("clientVersion").GetString(), StringComparison.Ordinal);
        var messages = (await calls.Api.GetAsync($"/api/calls/{Id(call)}/messages?pageSize=100")).Json.GetProperty("results").EnumerateArray().ToList();
        var texts = messages.Select(message => message.TryGetProperty("text", out var text) ? text.GetString() : null).ToList();
        Assert.Contains(texts, text => text?.Contains("forward", StringComparison.Ordinal) == true);
        Assert.Contains("Are you still there?", texts);
        Assert.Equal("MESSAGE_MEDIUM_TEXT", messages.Single(message => message.TryGetProperty("text", out var text) && text.GetString() == "In writing.").GetProperty("medium").GetString());
        // What was not played is not in the history.
        Assert.DoesNotContain(texts, text => text?.Contains("happily ever after", StringComparison.Ordinal) == true);
        Assert.Contains(texts, text => text?.StartsWith("Once upon a time", StringComparison.Ordinal) == true);
    }

    [Fact]
    public Task UltravoxClient_OnTheOldestLiveKit_TalksCallsToolsAndHangsUp() => EndedAsync("ultravox-oldest", "hangup");

    [Theory]
    [InlineData("livekit-oldest")]
    [InlineData("livekit-newest")]
    public Task LiveKitAlone_TalksThroughConnectionDetails_AndIsEndedByItsToken(string scenario) => EndedAsync(scenario, "hangup");

    [Theory]
    [InlineData("livekit-network")]
    [InlineData("ultravox-network")]
    public async Task ANetworkThatIsGoneForAWhile_TakesNothingOfTheCall(string scenario)
    {
        var call = await EndedAsync(scenario, "hangup");
        var events = (await calls.Api.GetAsync($"/api/calls/{Id(call)}/events?pageSize=100")).Json.GetProperty("results").EnumerateArray().Select(one => one.GetProperty("type").GetString());
        Assert.DoesNotContain("call_resumed", events);       // it went on meanwhile
        var texts = (await calls.Api.GetAsync($"/api/calls/{Id(call)}/messages?pageSize=100")).Json.GetProperty("results").EnumerateArray()
            .Select(message => message.TryGetProperty("text", out var text) ? text.GetString() : null).ToList();
        var meanwhile = texts.IndexOf("Are you still there?");
        Assert.Contains(texts.Take(Math.Max(meanwhile, 0)), text => text?.StartsWith("Hello", StringComparison.Ordinal) == true);
        Assert.Contains(texts.Skip(meanwhile), text => text?.Contains("forward", StringComparison.Ordinal) == true);
    }

    private async Task<JsonElement> EndedAsync(string scenario, string reason)
    {
        var callId = (await calls.ResultAsync(scenario)).GetProperty("callId").GetString();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            var call = (await calls.Api.GetAsync($"/api/calls/{callId}")).Json;
            if (call.GetProperty("ended").ValueKind == JsonValueKind.Null)
            {
                await Task.Delay(50, patience.Token);
                continue;
            }
            Assert.Equal(reason, call.GetProperty("endReason").GetString());
            return call;
        }
    }

    private static string Id(JsonElement call) => call.GetProperty("callId").GetString()!;
}
