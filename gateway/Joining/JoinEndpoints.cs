using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Gateway.Joining;

/// <summary>Join URLs on a process that carries no calls: every client is taken to the silo of its call.</summary>
public static class JoinEndpoints
{
    /// <summary>Where join URLs lead, on gateways and on silos.</summary>
    public const string Route = "/calls/{callId}/join/{token}";

    /// <summary>Where the room of a WebRTC call is, on gateways and on silos: clients append <c>/rtc</c> and the like. Its name is the call's id.</summary>
    public const string RoomRoute = "/calls/{callId}/room";

    public static IEndpointRouteBuilder MapJoinTunnel(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Route, JoinAsync).ExcludeFromDescription();
        routes.MapMethods(RoomRoute + "/{**path}", [HttpMethods.Get, HttpMethods.Head], JoinAsync).ExcludeFromDescription();
        return routes;
    }

    /// <summary>The same address and path for a room as for its call's join URL.</summary>
    /// <param name="joinUrl">Of the call, as its creation answered it.</param>
    /// <param name="joinToken">The unguessable part.</param>
    public static string RoomUrl(string joinUrl, out string joinToken)
    {
        const string join = "/join/";
        var at = joinUrl.LastIndexOf(join, StringComparison.Ordinal);
        joinToken = joinUrl[(at + join.Length)..];
        return joinUrl[..at] + "/room";
    }

    private static async Task JoinAsync(string callId, HttpContext http, IGrainFactory grains, CallTunnel tunnel)
    {
        if (!Guid.TryParse(callId, out _)) throw new PlatformException(ErrorCode.CallNotFound, "There is no such call.");
        await tunnel.PassOnAsync(http, await grains.GetGrain<ICallGrain>(callId).LocateAsync());
    }
}
