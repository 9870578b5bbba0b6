using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.GrainInterfaces.Accounts;

namespace VoiceGrains.Gateway.Accounts;

internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder routes)
    {
        var accounts = routes.MapGroup("/api/accounts").WithTags("accounts");
        accounts.MapGet("", (Caller caller) => TypedResults.Ok(new[] { AccountResponse.From(caller.Account) })).WithName("ListAccounts");
        accounts.MapGet("/me", Ok<AccountResponse> (Caller caller) => TypedResults.Ok(AccountResponse.From(caller.Account))).WithName("GetAccount");
    }
}
