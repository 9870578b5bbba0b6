using System.Net.WebSockets;
using Microsoft.Extensions.Options;
using Orleans;
using VoiceGrains.Gateway.Joining;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Silo.LiveKit;

namespace VoiceGrains.Silo.WebSockets;

/// <summary>Where join URLs lead: takes the client's WebSocket, uses up the URL and runs the call.</summary>
internal static class WebSocketIngress
{
    public static IEndpointRouteBuilder MapWebSocketIngress(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(JoinEndpoints.Route, JoinAsync).ExcludeFromDescription();
        return routes;
    }

    private static async Task<IResult> JoinAsync(
        string callId, string token, HttpContext http, IGrainFactory grains, CallAdmission admission, ILiveCallHost host, IClusterMembership membership,
        CallTunnel tunnel, CallEntrance entrance, RoomIngress rooms, IOptions<MediaOptions> media, TimeProvider clock, IHostApplicationLifetime lifetime)
    {
        if (!http.WebSockets.IsWebSocketRequest)
            return Refuse(StatusCodes.Status426UpgradeRequired, "upgrade_required", "A join URL is opened as a WebSocket.");
        if (!Guid.TryParse(callId, out _)) throw new PlatformException(ErrorCode.CallNotFound, "There is no such call.");
        if (membership.LocalSilo is { } local && await grains.GetGrain<ICallGrain>(callId).LocateAsync() is var location && location.Silo != local)
        {
            await tunnel.PassOnAsync(http, location);
            return Results.Empty;
        }
        var clientVersion = Truncate(http.Request.Query["clientVersion"]);
        if (rooms.IsServed && (await grains.GetGrain<ICallGrain>(callId).GetAsync()).Settings.Medium.WebRtc is not null)
        {
            await rooms.JoinAsync(callId, token, clientVersion, http);
            return Results.Empty;
        }
        using var pass = admission.Enter();     // first: a refused client comes back with a join URL that is still good
        var call = await entrance.JoinAsync(callId, token, clientVersion, http.RequestAborted);
        if (call.Settings.Medium.ServerWebSocket is not { } medium)
        {
            // Creation admits mediums that this server does not carry yet; joining them must not leave the call hanging.
            await grains.GetGrain<ICallGrain>(callId).EndAsync(new CallOutcome(EndReason.ConnectionError, "This server does not carry the call's medium yet."));
            return Refuse(StatusCodes.Status501NotImplemented, "medium_not_available", "This server carries serverWebSocket calls only.");
        }
        using var socket = await http.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            KeepAliveInterval = media.Value.KeepAliveInterval, KeepAliveTimeout = media.Value.KeepAliveTimeout,
        });
        await using var port = new WebSocketPort(socket, WebSocketPortOptions.From(medium), clock);
        await host.RunAsync(call, port, lifetime.ApplicationStopping);
        return Results.Empty;
    }

    private static string? Truncate(string? clientVersion) => clientVersion is { Length: > 100 } ? clientVersion[..100] : clientVersion;

    private static IResult Refuse(int status, string code, string detail) => Results.Json(new { detail, code }, statusCode: status);
}
