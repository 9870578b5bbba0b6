using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Billing;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Calls.Limits;
using VoiceGrains.Grains.Voices;

namespace VoiceGrains.Gateway.Accounts;

internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder routes)
    {
        var accounts = routes.MapGroup("/api/accounts").WithTags("accounts");
        accounts.MapGet("", ListAsync).WithName("ListAccounts");
        accounts.MapGet("/me", GetAsync).WithName("GetAccount");
    }

    /// <summary>A key speaks for one account.</summary>
    private static async Task<Ok<AccountResponse[]>> ListAsync(
        Caller caller, CallLimitCheck calls, Plans plans, IOptions<OwnVoiceOptions> voices, IOptions<BillingOptions> billing, CancellationToken cancellationToken)
        => TypedResults.Ok(new[] { await ShowAsync(caller, calls, plans, voices.Value, billing.Value, cancellationToken) });

    private static async Task<Ok<AccountResponse>> GetAsync(
        Caller caller, CallLimitCheck calls, Plans plans, IOptions<OwnVoiceOptions> voices, IOptions<BillingOptions> billing, CancellationToken cancellationToken)
        => TypedResults.Ok(await ShowAsync(caller, calls, plans, voices.Value, billing.Value, cancellationToken));

    private static async Task<AccountResponse> ShowAsync(
        Caller caller, CallLimitCheck calls, Plans plans, OwnVoiceOptions voices, BillingOptions billing, CancellationToken cancellationToken)
    {
        var active = await calls.CountActiveAsync(caller.AccountId, cancellationToken);
        return AccountResponse.From(caller.Account, active, plans.CallLimits(caller.Account).ConcurrentCalls, voices.MaxPerAccount, billing.Url ?? "");
    }
}
