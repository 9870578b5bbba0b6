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

    public static IEndpointRouteBuilder MapJoinTunnel(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Route, JoinAsync).ExcludeFromDescription();
        return routes;
    }

    private static async Task JoinAsync(string callId, HttpContext http, IGrainFactory grains, CallTunnel tunnel)
    {
        if (!Guid.TryParse(callId, out _)) throw new PlatformException(ErrorCode.CallNotFound, "There is no such call.");
        await tunnel.PassOnAsync(http, await grains.GetGrain<ICallGrain>(callId).LocateAsync());
    }
}
