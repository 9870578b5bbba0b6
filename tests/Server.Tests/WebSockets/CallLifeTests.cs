using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>How calls begin, who speaks first, what time brings about, and what REST tells of the end.</summary>
public sealed class CallLifeTests(LiveSilo silo)
{
    private const string UserFirst = """{"firstSpeakerSettings":{"user":{}}}""";

    [Fact]
    public async Task AJoinUrl_WorksOnce()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(null, UserFirst));
        var token = call.JoinUrl.Segments[^1];
        var wrong = new Uri(call.JoinUrl, (token[0] == 'A' ? 'B' : 'A') + token[1..]);
        Assert.Equal(HttpStatusCode.Forbidden, await RefusalAsync(wrong));
        Assert.Equal(HttpStatusCode.NotFound, await RefusalAsync(new Uri(call.JoinUrl, $"/calls/{Guid.NewGuid()}/join/{token}")));

        using var http = new HttpClient();
        var plain = await http.GetAsync(new UriBuilder(call.JoinUrl) { Scheme = "http" }.Uri, SiloFixture.Cancel);
        Assert.Equal(HttpStatusCode.UpgradeRequired, plain.StatusCode);

        await call.JoinAsync();
        await call.WaitForStateAsync("listening");
        Assert.Equal(HttpStatusCode.Gone, await RefusalAsync(call.JoinUrl));
        var ended = await call.LeaveAsync();
        Assert.Equal(HttpStatusCode.Gone, await RefusalAsync(call.JoinUrl));
        Assert.Equal(("hangup", LiveCall.BilledDuration(ended), "BILLING_STATUS_BILLED"),
            (ended.GetProperty("endReason").GetString(), ended.GetProperty("billedDuration").GetString(), ended.GetProperty("billingStatus").GetString()));
    }

    /// <summary>Its connection broke a moment ago, which the server has not noticed yet.</summary>
    [Fact]
    public async Task AClientThatComesBackAtOnce_IsLetIn()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst));
        await call.WaitForStateAsync("listening");
        var returning = call.ReturnAsync();
        await call.VanishAsync();
        await using var back = await returning;
        await back.WaitForStateAsync("listening");
        Assert.Equal("hangup", (await back.LeaveAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task ACallThatNobodyJoins_IsUnjoinedAndFree()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request(null, """{"joinTimeout":"1s"}"""));
        var ended = await call.EndedAsync();
        Assert.Equal(("unjoined", "0s", JsonValueKind.Null),
            (ended.GetProperty("endReason").GetString(), ended.GetProperty("billedDuration").GetString(), ended.GetProperty("joined").ValueKind));
        Assert.Equal(HttpStatusCode.Gone, await RefusalAsync(call.JoinUrl));
    }

    [Fact]
    public async Task FixedFirstWords_AreSaidWithoutAModel()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, """{"firstSpeakerSettings":{"agent":{"text":"Welcome aboard.","uninterruptible":true}}}"""));
        call.Say(HumanSpeech.OneTurn());
        var first = await call.WaitForFinalAsync("agent");
        Assert.Equal("Welcome aboard.", first.Json.GetProperty("text").GetString());
        Assert.DoesNotContain(call.Messages, m => m.Type == "playback_clear_buffer");
        await call.LeaveAsync();
    }

    [Fact]
    public Task Inactivity_AsksThenHangsUp() => MachineStalls.RetryAsync(FallSilentAsync);

    private async Task FallSilentAsync()
    {
        using var api = await silo.CreateClientAsync();
        const string rules = """
            {"firstSpeakerSettings":{"user":{}},"inactivityMessages":[
              {"duration":"1s","message":"Are you there?"},{"duration":"0.8s","message":"Good bye.","endBehavior":"END_BEHAVIOR_HANG_UP_SOFT"}]}
            """;
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, rules));
        await call.WaitForCloseAsync();
        var said = call.Messages.Where(m => m.Type == "transcript" && m.Json.GetProperty("final").GetBoolean()).ToList();
        Assert.Equal(["Are you there?", "Good bye."], said.Select(m => m.Json.GetProperty("text").GetString()));
        // A pause, then one and two thirds of a second of words.
        call.Stalls.Measure(() => Assert.True(said[0].At >= 1.9 && said[1].At - said[0].At >= 1.3, call.Story()));
        Assert.Equal("agent_hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public Task TheLongestDuration_EndsWithItsWords_AndASummary() => MachineStalls.RetryAsync(TalkTooLongAsync);

    private async Task TalkTooLongAsync()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(
            """When the call starts: say "Hello." """, """{"maxDuration":"2.5s","timeExceededMessage":"Our time is over."}"""));
        await call.SendAsync("""{"type":"user_text_message","text":"I would like to talk for a long time.","urgency":"later"}""");
        await call.WaitForCloseAsync();
        var said = call.Messages.Last(m => m.Type == "transcript" && m.Json.GetProperty("final").GetBoolean());
        Assert.Equal("Our time is over.", said.Json.GetProperty("text").GetString());
        var ended = await call.EndedAsync();
        Assert.Equal(("timeout", LiveCall.BilledDuration(ended)), (ended.GetProperty("endReason").GetString(), ended.GetProperty("billedDuration").GetString()));
        var lasted = ended.GetProperty("ended").GetDateTimeOffset() - ended.GetProperty("joined").GetDateTimeOffset();
        call.Stalls.Measure(() => Assert.InRange(lasted.TotalSeconds, 3.4, 5.4));
        while ((await api.GetAsync($"/api/calls/{call.CallId}")).Json is var summarized && summarized.GetProperty("shortSummary").ValueKind == JsonValueKind.Null)
        {
            Assert.True(call.Now < 60, "There was never a summary.");
            await Task.Delay(50, SiloFixture.Cancel);
        }
    }

    [Fact]
    public async Task AClientThatSendsNothing_IsLostAfterMediaIdleTimeout()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst, """{"mediaIdleTimeout":"10s"}"""), microphone: false);
        await call.WaitForCloseAsync();
        Assert.InRange(call.Now, 9.9, 30);
        Assert.Equal("connection_error", (await call.EndedAsync()).GetProperty("endReason").GetString());
    }

    /// <summary>The status with which a join is refused.</summary>
    private static async Task<HttpStatusCode> RefusalAsync(Uri joinUrl)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(joinUrl, SiloFixture.Cancel));
        return socket.HttpStatusCode;
    }
}
