using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using VoiceGrains.Gateway.Joining;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>A <c>webRtc</c> call of a test: its join socket, its user's signalling and peer, and what REST tells of it.</summary>
internal sealed class RoomCall : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly RoomSilo silo;
    private readonly List<IAsyncDisposable> clients = [];

    private RoomCall(RoomSilo silo, ApiClient api, JsonElement call)
    {
        (this.silo, Api, CallId, JoinUrl) = (silo, api, call.GetProperty("callId").GetString()!, call.GetProperty("joinUrl").GetString()!);
        RoomUrl = JoinEndpoints.RoomUrl(JoinUrl, out var joinToken);
        JoinToken = joinToken;
    }

    public ApiClient Api { get; }
    public string CallId { get; }
    public string JoinUrl { get; }
    public string RoomUrl { get; }
    public string JoinToken { get; }
    public ClientWebSocket? JoinSocket { get; private set; }

    /// <summary>The user's, of the last join.</summary>
    public SignalClient Signal { get; private set; } = null!;

    public FakePeer Peer { get; private set; } = null!;

    public string AgentTrack => Signal.Join.OtherParticipants[0].Tracks[0].Sid;

    public static async Task<RoomCall> CreateAsync(RoomSilo silo, string more = "{}")
    {
        var api = await silo.CreateClientAsync();
        var created = await api.PostAsync("/api/calls", more);
        Assert.True(created.Status == 201, created.Text);
        return new RoomCall(silo, api, created.Json);
    }

    /// <summary>A user's access token, with which a client needs no join socket.</summary>
    public string UserToken(bool joins = true) => silo.Tokens.Create(new RoomGrant(CallId, RoomGrant.UserIdentity) { JoinToken = joins ? JoinToken : null }, TimeSpan.FromHours(1));

    public string ListenerToken(string identity, bool hidden = false) => silo.Tokens.Create(new RoomGrant(CallId, identity) { Hidden = hidden }, TimeSpan.FromHours(1));

    /// <summary>Opens the join URL; gives back the one message.</summary>
    public async Task<JsonElement> OpenJoinAsync(string query = "?clientVersion=web_0.5.0&apiVersion=1")
    {
        JoinSocket = new ClientWebSocket();
        JoinSocket.Options.CollectHttpResponseDetails = true;
        await JoinSocket.ConnectAsync(new Uri(JoinUrl + query), SiloFixture.Cancel);
        var buffer = new byte[8 * 1024];
        var part = await JoinSocket.ReceiveAsync(buffer.AsMemory(), SiloFixture.Cancel);
        Assert.Equal((WebSocketMessageType.Text, true), (part.MessageType, part.EndOfMessage));
        return JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, part.Count));
    }

    /// <summary>The whole way of ultravox-client: join socket, room, media.</summary>
    public async Task JoinAsync()
    {
        var info = await OpenJoinAsync();
        await EnterAsync(info.GetProperty("token").GetString()!);
    }

    /// <summary>Enters the room and connects media.</summary>
    public async Task EnterAsync(string? token = null, bool connects = true)
    {
        Signal = Keep(await SignalClient.ConnectAsync(RoomUrl, token ?? UserToken()));
        var before = silo.Peers.Of(AgentTrack).Count;
        await Signal.OfferAsync(1);
        await Signal.WaitForAsync(Silo.LiveKit.Protocol.SignalResponse.MessageOneofCase.Answer);
        Peer = silo.Peers.Of(AgentTrack)[before];
        if (connects) Peer.Connect();
    }

    public async Task<SignalClient> ListenAsync(string identity, bool hidden = false) => Keep(await SignalClient.ConnectAsync(RoomUrl, ListenerToken(identity, hidden)));

    public FakePeer PeerOf(SignalClient client, int index) => silo.Peers.Of(client.Join.OtherParticipants[0].Tracks[0].Sid)[index];

    public SignalClient Keep(SignalClient client)
    {
        clients.Add(client);
        return client;
    }

    /// <summary>A data message to the user with this type that <paramref name="matches"/>.</summary>
    public async Task<JsonElement> WaitForMessageAsync(string type, Func<JsonElement, bool>? matches = null)
    {
        JsonElement found = default;
        await UntilAsync(() => Messages.Any(message => message.GetProperty("type").GetString() == type && matches?.Invoke(message) != false && (found = message).ValueKind != 0), $"a message '{type}'");
        return found;
    }

    public List<JsonElement> Messages => [.. Peer.Data.Select(packet => JsonSerializer.Deserialize<JsonElement>(packet.User.Payload.Span))];

    public Task UntilAsync(Func<bool> isSo, string what) => UntilAsync(() => Task.FromResult(isSo()), what);

    public Task UntilAsync(Func<Task<bool>> isSo, string what)
        => Poll.UntilAsync(isSo, () => $"There was never {what}. Messages: {string.Join('\n', Peer?.Data.Select(packet => packet.User.Payload.ToStringUtf8()) ?? [])}");

    public async Task<JsonElement> EndedAsync()
    {
        for (var since = Stopwatch.GetTimestamp(); ; await Task.Delay(50, SiloFixture.Cancel))
        {
            var call = (await Api.GetAsync($"/api/calls/{CallId}")).Json;
            if (call.GetProperty("ended").ValueKind != JsonValueKind.Null) return call;
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, "The call did not end.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Signal is { Socket.State: WebSocketState.Open } && JoinSocket is not { State: WebSocketState.Open }) await Signal.LeaveAsync();
        if (JoinSocket is { State: WebSocketState.Open }) await JoinSocket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        foreach (var client in clients) await client.DisposeAsync();
        JoinSocket?.Dispose();
        Api.Dispose();
    }
}
