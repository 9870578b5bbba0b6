using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Grains.Signing;

namespace VoiceGrains.Gateway.Joining;

/// <summary>Who may enter the rooms of calls, on every process: what does not need the call itself is answered where the client comes.</summary>
public static class RoomAccess
{
    private const string Bearer = "Bearer ";

    /// <summary>Where a client asks why its WebSocket was refused, which no page is told otherwise, and a look at the room's URL itself.</summary>
    public static IEndpointRouteBuilder MapRoomChecks(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods(JoinEndpoints.RoomRoute, [HttpMethods.Get, HttpMethods.Head], static () => Results.Text("OK")).ExcludeFromDescription();
        routes.MapGet(JoinEndpoints.RoomRoute + "/rtc/validate", Validate).ExcludeFromDescription();
        routes.MapGet(JoinEndpoints.RoomRoute + "/rtc/v1/validate", Validate).ExcludeFromDescription();
        return routes;
    }

    /// <summary>Whether a request may enter this room. A refusal says no more than why its token does not hold.</summary>
    /// <param name="grant">What the token allows; null when the result is false.</param>
    /// <param name="refusal">401 without a token that holds, 403 with another room's; null when the result is true.</param>
    public static bool TryAuthorize(HttpRequest request, string callId, RoomTokens tokens, out RoomGrant? grant, out IResult? refusal)
    {
        (grant, refusal) = (null, null);
        if (TokenOf(request) is not { } token) refusal = Refuse(StatusCodes.Status401Unauthorized, "The access token is missing.");
        else if (!tokens.TryVerify(token, out grant, out var fault)) refusal = Refuse(StatusCodes.Status401Unauthorized, Words(fault));
        else if (grant.Room != callId) refusal = Refuse(StatusCodes.Status403Forbidden, "The access token is for another room.");
        if (refusal is not null) grant = null;
        return refusal is null;
    }

    /// <summary>
    /// Never 404: clients would take it for a server of an older protocol, and go on asking. Pages of any origin may read the answer; those that may not
    /// would be told only that it could not be fetched.
    /// </summary>
    private static IResult Validate(string callId, HttpContext http, RoomTokens tokens)
    {
        http.Response.Headers.AccessControlAllowOrigin = "*";
        return TryAuthorize(http.Request, callId, tokens, out _, out var refusal) ? Results.Text("success") : refusal!;
    }

    private static string? TokenOf(HttpRequest request)
    {
        if (request.Query["access_token"] is [{ Length: > 0 } token, ..]) return token;
        return request.Headers.Authorization is [{ } header, ..] && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : null;
    }

    private static string Words(TokenFault fault) => fault switch
    {
        TokenFault.WrongSignature => "The access token's signature is wrong.",
        TokenFault.Expired => "The access token has expired.",
        TokenFault.NotYetValid => "The access token is not valid yet.",
        _ => "The access token is malformed.",
    };

    /// <summary>Plain text, for clients show it.</summary>
    private static IResult Refuse(int status, string why) => Results.Text(why, statusCode: status);
}
