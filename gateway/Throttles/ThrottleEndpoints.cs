using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Throttles;

namespace VoiceGrains.Gateway.Throttles;

internal static class ThrottleEndpoints
{
    public static void MapThrottles(this IEndpointRouteBuilder routes)
    {
        var throttles = routes.MapGroup("/api/call_throttles").WithTags("call_throttles");
        throttles.MapGet("", ListAsync).WithName("ListCallThrottles");
        throttles.MapPost("", CreateAsync).WithName("CreateCallThrottle");
        throttles.MapGet("/{throttleId:guid}", GetAsync).WithName("GetCallThrottle");
        throttles.MapPut("/{throttleId:guid}", ReplaceAsync).WithName("ReplaceCallThrottle");
        throttles.MapPatch("/{throttleId:guid}", UpdateAsync).WithName("UpdateCallThrottle");
        throttles.MapDelete("/{throttleId:guid}", DeleteAsync).WithName("DeleteCallThrottle");
    }

    private static async Task<Ok<PageResponse<ThrottleResponse>>> ListAsync(
        HttpRequest request, Caller caller, PageQuery query, CallThrottleStore store, CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(caller.AccountId, query.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(page.Select(ThrottleResponse.From), request));
    }

    private static async Task<Created<ThrottleResponse>> CreateAsync(
        Caller caller, Body<ThrottleRequest> body, CallThrottleStore store, CancellationToken cancellationToken)
    {
        var throttle = await store.CreateAsync(caller.AccountId, body.Value.Name, Rules(body.Value.Rules), cancellationToken);
        return TypedResults.Created($"/api/call_throttles/{throttle.ThrottleId}", ThrottleResponse.From(throttle));
    }

    private static async Task<Ok<ThrottleResponse>> GetAsync(Guid throttleId, Caller caller, CallThrottleStore store, CancellationToken cancellationToken)
        => TypedResults.Ok(ThrottleResponse.From(await store.FindAsync(caller.AccountId, throttleId, cancellationToken) ?? throw NotFound()));

    private static Task<Ok<ThrottleResponse>> ReplaceAsync(
        Guid throttleId, Caller caller, Body<ThrottleRequest> body, CallThrottleStore store, CancellationToken cancellationToken)
        => StoreAsync(throttleId, caller, body.Value.Name, body.Value.Rules, store, cancellationToken);

    private static Task<Ok<ThrottleResponse>> UpdateAsync(
        Guid throttleId, Caller caller, Body<ThrottlePatch> body, CallThrottleStore store, CancellationToken cancellationToken)
        => StoreAsync(throttleId, caller, body.Value.Name, body.Value.Rules, store, cancellationToken);

    private static async Task<NoContent> DeleteAsync(Guid throttleId, Caller caller, CallThrottleStore store, CancellationToken cancellationToken)
    {
        if (!await store.DeleteAsync(caller.AccountId, throttleId, cancellationToken)) throw NotFound();
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ThrottleResponse>> StoreAsync(
        Guid throttleId, Caller caller, string? name, IReadOnlyList<ThrottleRule>? rules, CallThrottleStore store, CancellationToken cancellationToken)
    {
        var stored = await store.UpdateAsync(caller.AccountId, throttleId, name, rules is null ? null : Rules(rules), cancellationToken) ?? throw NotFound();
        return TypedResults.Ok(ThrottleResponse.From(stored));
    }

    private static List<CallRate> Rules(IReadOnlyList<ThrottleRule> rules) => [.. rules.Select(rule => new CallRate(rule.MaxCalls, rule.WindowSeconds))];

    private static PlatformException NotFound() => new(ErrorCode.NotFound, "No CallThrottle matches the given query.");
}
