using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Grains.Usage;
using VoiceGrains.Grains.Voices;

namespace VoiceGrains.Gateway.Usage;

/// <summary>What an account's calls add up to.</summary>
internal static class UsageEndpoints
{
    public static void MapUsage(this IEndpointRouteBuilder routes)
    {
        var usage = routes.MapGroup("/api/accounts/me/usage").WithTags("accounts");
        usage.MapGet("/calls", GetCallsAsync).WithName("GetCallUsage");
        usage.MapGet("/concurrency", GetConcurrencyAsync).WithName("GetConcurrency").TakesQuery("bucket:minute|5min|hour|day", "end:date-time", "start:date-time");
        routes.MapGet("/api/agents/usage", ListAgentsAsync).WithTags("agents").WithName("ListAgentUsage");
    }

    private static async Task<Ok<CallUsage>> GetCallsAsync(
        Caller caller, CallQuery query, UsageStore usage, AccountVoices voices, CancellationToken cancellationToken)
        => TypedResults.Ok(await usage.ReadCallsAsync(caller.AccountId, await query.ResolveAsync(caller.AccountId, voices, cancellationToken), cancellationToken));

    private static async Task<Ok<ConcurrencyResponse>> GetConcurrencyAsync(
        Caller caller, HttpRequest request, UsageStore usage, TimeProvider clock, CancellationToken cancellationToken)
    {
        var query = ConcurrencyQuery.Read(request.Query, clock.GetUtcNow());
        if (query.Start >= query.End) return TypedResults.Ok(new ConcurrencyResponse([]));   // wholly in the future
        return TypedResults.Ok(new ConcurrencyResponse(await usage.ReadConcurrencyAsync(caller.AccountId, query.Start, query.End, query.Bucket, cancellationToken)));
    }

    private static async Task<Ok<IReadOnlyList<AgentUsage>>> ListAgentsAsync(
        Caller caller, CallQuery query, UsageStore usage, AccountVoices voices, CancellationToken cancellationToken)
        => TypedResults.Ok(await usage.ReadAgentsAsync(caller.AccountId, await query.ResolveAsync(caller.AccountId, voices, cancellationToken), cancellationToken));
}

/// <summary><c>ConcurrencyResponse</c>.</summary>
internal sealed record ConcurrencyResponse(IReadOnlyList<ConcurrencyBucket> TimeSeries);
