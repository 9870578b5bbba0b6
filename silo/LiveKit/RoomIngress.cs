using Microsoft.Extensions.Options;
using Orleans;
using VoiceGrains.Gateway.Joining;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>Where the clients of rooms come: their signalling, and the join sockets of WebRTC calls.</summary>
internal sealed class RoomIngress(
    Rooms rooms, RoomTokens tokens, IGrainFactory grains, IClusterMembership membership, CallTunnel tunnel, IOptions<WebRtcOptions> options, IOptions<MediaOptions> media,
    TimeProvider clock, IHostApplicationLifetime lifetime)
{
    /// <summary>A socket outlives a network that is gone for a quarter of a minute: a client takes its end for that of the call.</summary>
    private static readonly WebSocketAcceptContext AcceptContext = new()
    {
        KeepAliveInterval = TimeSpan.FromSeconds(10),
        KeepAliveTimeout = TimeSpan.FromSeconds(20),
    };

    /// <summary>Whether this silo carries WebRTC calls.</summary>
    public bool IsServed => options.Value.Enabled;

    public static IEndpointRouteBuilder MapRooms(IEndpointRouteBuilder routes)
    {
        routes.MapRoomChecks();
        routes.MapGet(JoinEndpoints.RoomRoute + "/rtc", SignalAsync).ExcludeFromDescription();
        routes.MapGet(JoinEndpoints.RoomRoute + "/rtc/v1", SignalAsync).ExcludeFromDescription();
        return routes;

        static Task<IResult> SignalAsync(string callId, HttpContext http, RoomIngress ingress) => ingress.SignalAsync(callId, http);
    }

    /// <summary>Opens a WebRTC call's join socket: one message that says where the room is, and then whatever the client has to say.</summary>
    /// <exception cref="PlatformException">As <see cref="Rooms.JoinAsync"/>.</exception>
    public async Task JoinAsync(string callId, string joinToken, string? clientVersion, HttpContext http)
    {
        var room = await rooms.JoinAsync(callId, joinToken, clientVersion, http.RequestAborted);
        using var webSocket = await http.WebSockets.AcceptWebSocketAsync(AcceptContext);
        var socket = new JoinSocket(webSocket, clock);
        var token = tokens.Create(new RoomGrant(callId, RoomGrant.UserIdentity) { JoinToken = joinToken }, options.Value.TokenLifetime);
        await room.ServeAsync(socket, $"{MediaAddress.Of(http.Request, media.Value.PublicUrl)}/calls/{callId}/room", token, http.RequestAborted);
    }

    private async Task<IResult> SignalAsync(string callId, HttpContext http)
    {
        if (!http.WebSockets.IsWebSocketRequest) return Results.NotFound();
        if (!RoomAccess.TryAuthorize(http.Request, callId, tokens, out var grant, out var refusal)) return refusal!;
        if (membership.LocalSilo is { } local && await grains.GetGrain<ICallGrain>(callId).LocateAsync() is var location && location.Silo != local)
        {
            await tunnel.PassOnAsync(http, location);
            return Results.Empty;
        }
        if (!RoomJoin.TryRead(http.Request.Query, out var join, out var error)) return Results.Text(error, statusCode: StatusCodes.Status400BadRequest);
        var room = await FindRoomAsync(callId, grant!, join, http.RequestAborted);
        using var socket = await http.WebSockets.AcceptWebSocketAsync(AcceptContext);
        if (room is not null) await room.ServeAsync(socket, grant!, join, lifetime.ApplicationStopped);
        else await TurnAwayAsync(socket, join);
        return Results.Empty;
    }

    /// <summary>A client that brings the call's join token with its room token starts the call, or goes on with one that lost its server. Null: there is none to enter.</summary>
    private async Task<CallRoom?> FindRoomAsync(string callId, RoomGrant grant, RoomJoin join, CancellationToken cancellationToken)
    {
        if (rooms.Find(callId) is { } room) return room;
        if (grant.Identity != RoomGrant.UserIdentity || grant.JoinToken is not { } joinToken) return null;
        try
        {
            return await rooms.JoinAsync(callId, joinToken, join.ClientVersion, cancellationToken);
        }
        catch (PlatformException over) when (over.Code == ErrorCode.JoinExpired)
        {
            return null;
        }
    }

    /// <summary>Said in the client's own words, for a page cannot read why an upgrade was refused.</summary>
    private async Task TurnAwayAsync(System.Net.WebSockets.WebSocket socket, RoomJoin join)
    {
        await using var signal = new SignalSocket(socket, clock);
        signal.Leave(join.IsReconnect ? DisconnectReason.RoomDeleted : DisconnectReason.RoomClosed);
        await signal.RunAsync(static _ => { }, lifetime.ApplicationStopped);
    }
}
