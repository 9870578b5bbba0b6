using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Calls;

namespace VoiceGrains.Gateway.Connection;

/// <summary>The connection API: everything that a LiveKit client needs for a call, in one answer. Its names and errors are its own, in snake_case.</summary>
internal static class ConnectionEndpoints
{
    public static void MapConnection(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1").WithTags("connection").ExcludeFromDescription();
        api.MapPost("/connection/connection-details", CreateAsync).WithName("GetConnectionDetails");
        api.MapPost("/calls/{callId}/end", EndAsync).WithName("EndCall").AllowAnonymous().WithMetadata(ChecksItsOwnTokens.Instance);
    }

    private static async Task<Ok<ConnectionDetailsResponse>> CreateAsync(
        Caller caller, ConnectionDetailsRequest body, HttpRequest request, ConnectionCalls connections, CancellationToken cancellationToken)
        => TypedResults.Ok(await connections.CreateAsync(caller, body, CallStartTerms.FromAgentCall(request), cancellationToken));

    /// <summary>The token is in the body, where pages of other origins may put it, or the bearer token itself.</summary>
    private static async Task<Results<Ok<CallEndedResponse>, ChallengeHttpResult>> EndAsync(string callId, HttpContext http, ConnectionCalls connections, CancellationToken cancellationToken)
    {
        var caller = http.Features.Get<Caller>();
        var endToken = TokenOf(await ConnectionBody.ReadAsync(http.Request, cancellationToken)) ?? (caller is null ? BearerToken.Of(http.Request) : null);
        if (endToken is null && caller is null) return TypedResults.Challenge();
        var ended = await connections.EndAsync(callId, endToken, caller, cancellationToken);
        return TypedResults.Ok(new CallEndedResponse(ended.Settings.CallId, "ended"));
    }

    private static string? TokenOf(JsonElement json)
    {
        var problems = new RequestProblems();
        if (!FieldReader.IsObject(json, [], problems)) problems.ThrowIfAny();
        var fields = new FieldReader(json, [], problems);
        fields.OnlyHas("end_token");
        var token = fields.Text("end_token", mayBeNull: true);
        problems.ThrowIfAny();
        return token;
    }
}

/// <summary><c>ConnectionDetailsResponse</c>.</summary>
internal sealed record ConnectionDetailsResponse(
    [property: JsonPropertyName("server_url")] string ServerUrl, [property: JsonPropertyName("participant_token")] string ParticipantToken,
    [property: JsonPropertyName("call_id")] string CallId, [property: JsonPropertyName("end_token")] string EndToken);

/// <summary>What became of the call.</summary>
internal sealed record CallEndedResponse([property: JsonPropertyName("call_id")] string CallId, [property: JsonPropertyName("status")] string Status);
