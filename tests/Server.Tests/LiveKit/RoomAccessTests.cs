using System.Net;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>What a client asks when its WebSocket was refused, and who gets one.</summary>
public sealed class RoomAccessTests(RoomSilo silo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Validate_SaysWhyAClientMayNotEnter_ToAnyPage_AndNeverThatThereIsNothing()
    {
        await using var call = await RoomCall.CreateAsync(silo);
        var token = call.UserToken();
        (string Query, HttpStatusCode Status, string Text)[] expected =
        [
            ($"?access_token={token}", HttpStatusCode.OK, "success"),
            ("", HttpStatusCode.Unauthorized, "The access token is missing."),
            ("?access_token=TOKEN", HttpStatusCode.Unauthorized, "The access token is malformed."),
            ($"?access_token={token[..^6]}AAAAAA", HttpStatusCode.Unauthorized, "The access token's signature is wrong."),
            ($"?access_token={silo.Tokens.Create(new RoomGrant(call.CallId, "user"), -TimeSpan.FromMinutes(2))}", HttpStatusCode.Unauthorized, "The access token has expired."),
            ($"?access_token={silo.Tokens.Create(new RoomGrant("another", "user"), TimeSpan.FromHours(1))}", HttpStatusCode.Forbidden, "The access token is for another room."),
        ];
        foreach (var path in (string[])["/rtc/validate", "/rtc/v1/validate"])
        {
            foreach (var (query, status, text) in expected)
            {
                using var answer = await call.Api.Http.GetAsync(Http(call) + path + query, Cancel);
                Assert.Equal((status, text), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
                Assert.Equal("*", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
            }
        }
    }

    [Fact]
    public async Task TheTokenMayComeAsAHeader_AndTheRoomsUrlMayBeLookedAt()
    {
        await using var call = await RoomCall.CreateAsync(silo);
        using var request = new HttpRequestMessage(HttpMethod.Get, Http(call) + "/rtc/validate") { Headers = { { "Authorization", "Bearer " + call.UserToken() } } };
        using var validated = await call.Api.Http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, validated.StatusCode);
        using var head = await call.Api.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, Http(call)), Cancel);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        using var plain = await call.Api.Http.GetAsync($"{Http(call)}/rtc?access_token={call.UserToken()}", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, plain.StatusCode);
    }

    [Theory]
    [InlineData("/rtc", "", 401)]
    [InlineData("/rtc", "?access_token=TOKEN", 401)]
    [InlineData("/rtc/v1", "?access_token=TOKEN", 401)]
    [InlineData("/rtc/v1", "?access_token={token}&join_request=!", 400)]
    [InlineData("/rtc/v1", "?access_token={token}&join_request=AAAA", 400)]
    [InlineData("/rtc", "?access_token={other}", 403)]
    public async Task AWebSocket_IsRefused(string path, string query, int status)
    {
        await using var call = await RoomCall.CreateAsync(silo);
        var other = silo.Tokens.Create(new RoomGrant(Guid.NewGuid().ToString(), "user"), TimeSpan.FromHours(1));
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        var url = new Uri(call.RoomUrl + path + query.Replace("{token}", call.UserToken(), StringComparison.Ordinal).Replace("{other}", other, StringComparison.Ordinal));
        await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(() => socket.ConnectAsync(url, Cancel));
        Assert.Equal(status, (int)socket.HttpStatusCode);
    }

    private static string Http(RoomCall call) => "http" + call.RoomUrl["ws".Length..];
}
