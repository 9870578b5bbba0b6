using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Administration;

/// <summary>For those who run the server: accounts, keys and usage, of everybody. Beside the public contract, and out of reach of API keys.</summary>
internal static class AdminEndpoints
{
    public const string Path = "/admin";

    private static readonly AuthorizationPolicy Administrators = new AuthorizationPolicyBuilder(AdminAuthentication.SchemeName).RequireAuthenticatedUser().Build();

    public static void MapAdministration(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup(Path).RequireAuthorization(Administrators).ExcludeFromDescription();
        admin.MapGet("/accounts", ListAsync);
        admin.MapPost("/accounts", CreateAsync);
        admin.MapGet("/accounts/{accountId:guid}", GetAsync);
        admin.MapPatch("/accounts/{accountId:guid}", UpdateAsync);
        admin.MapPost("/accounts/{accountId:guid}/disable", DisableAsync);
        admin.MapPost("/accounts/{accountId:guid}/enable", EnableAsync);
        admin.MapGet("/accounts/{accountId:guid}/keys", ListKeysAsync);
        admin.MapPost("/accounts/{accountId:guid}/keys", CreateKeyAsync);
        admin.MapPost("/keys/{prefix:length(8)}/revoke", RevokeKeyAsync);
        admin.MapGet("/usage", UsageExports.ExportAsync);
    }

    private static async Task<Ok<PageResponse<AdminAccountResponse>>> ListAsync(
        HttpRequest request, PageQuery query, AccountAdministration accounts, CancellationToken cancellationToken)
    {
        var page = await accounts.ListAsync(QueryText.Read(request.Query, "search", maxLength: 200), query.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(page.Select(AdminAccountResponse.From), request));
    }

    private static async Task<Created<AdminNewAccountResponse>> CreateAsync(
        HttpContext context, Body<AccountRequest> body, AccountAdministration accounts, Plans plans, AdminAudit audit, CancellationToken cancellationToken)
    {
        var asked = body.Value;
        var (account, key) = await accounts.CreateAsync(Changes(asked.Name, asked.Plan, asked.AllowedConcurrentCalls, asked.RetentionDays, body.Json, plans), asked.KeyName ?? "first key", cancellationToken);
        audit.Log(context, "creation", account.AccountId, $"with plan {account.Plan} and key {key.Details.Prefix}");
        KeepNowhere(context.Response);
        return TypedResults.Created($"{Path}/accounts/{account.AccountId}",
            new AdminNewAccountResponse(AdminAccountResponse.From(new(account, 1, 0, 0, 0)), AdminNewKeyResponse.From(account.AccountId, key)));
    }

    private static async Task<Ok<AdminAccountResponse>> GetAsync(Guid accountId, AccountAdministration accounts, CancellationToken cancellationToken)
        => TypedResults.Ok(AdminAccountResponse.From(await accounts.GetAsync(accountId, cancellationToken)));

    private static async Task<Ok<AdminAccountResponse>> UpdateAsync(
        HttpContext context, Guid accountId, Body<AccountPatch> body, AccountAdministration accounts, ApiKeyVerifier verifier, Plans plans, AdminAudit audit,
        CancellationToken cancellationToken)
    {
        var asked = body.Value;
        await accounts.UpdateAsync(accountId, Changes(asked.Name, asked.Plan, asked.AllowedConcurrentCalls, asked.RetentionDays, body.Json, plans), cancellationToken);
        verifier.ForgetAll();       // other gateways hear of it from the database
        audit.Log(context, "change", accountId, string.Join(", ", body.Json.EnumerateObject().Select(field => field.Name)));
        return await GetAsync(accountId, accounts, cancellationToken);
    }

    private static AccountChanges Changes(string? name, string? plan, int? concurrentCalls, int? retentionDays, JsonElement body, Plans plans)
    {
        if (plan is not null && !plans.IsKnown(plan))
            throw new InvalidInputException("plan", $"Unknown plan '{JsonLeaf.Shorten(plan)}'. There are: {string.Join(", ", plans.Names)}.");
        return new()
        {
            Name = name,
            Plan = plan,
            ConcurrentCalls = body.TryGetProperty("allowedConcurrentCalls", out _) ? new(concurrentCalls) : null,
            RetentionDays = body.TryGetProperty("retentionDays", out _) ? new(retentionDays) : null,
        };
    }

    private static async Task<Ok<AdminDisableResponse>> DisableAsync(
        HttpContext context, Guid accountId, Body<DisableRequest> body, AccountAdministration accounts, ApiKeyVerifier verifier, CallEnding calls, AdminAudit audit,
        CancellationToken cancellationToken)
    {
        await accounts.DisableAsync(accountId, cancellationToken);
        verifier.ForgetAll();
        audit.Log(context, "disabling", accountId, body.Value.EndCalls is true ? "with its calls" : "");
        var ended = body.Value.EndCalls is true ? await calls.EndAsync(accountId, cancellationToken) : 0;
        return TypedResults.Ok(new AdminDisableResponse(AdminAccountResponse.From(await accounts.GetAsync(accountId, cancellationToken)), ended));
    }

    private static async Task<Ok<AdminAccountResponse>> EnableAsync(
        HttpContext context, Guid accountId, AccountAdministration accounts, AdminAudit audit, CancellationToken cancellationToken)
    {
        await accounts.EnableAsync(accountId, cancellationToken);
        audit.Log(context, "enabling", accountId);
        return await GetAsync(accountId, accounts, cancellationToken);
    }

    private static async Task<Ok<PageResponse<AdminKeyResponse>>> ListKeysAsync(
        HttpRequest request, Guid accountId, PageQuery query, AccountAdministration accounts, CancellationToken cancellationToken)
    {
        await accounts.GetAsync(accountId, cancellationToken);
        var page = await accounts.ListKeysAsync(accountId, query.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(page.Select(AdminKeyResponse.From), request));
    }

    private static async Task<Created<AdminNewKeyResponse>> CreateKeyAsync(
        HttpContext context, Guid accountId, Body<KeyRequest> body, AccountAdministration accounts, AdminAudit audit, CancellationToken cancellationToken)
    {
        var made = await accounts.CreateKeyAsync(accountId, body.Value.Name ?? "made by the administrator", body.Value.ExpiryDate, cancellationToken);
        audit.Log(context, "creation of a key", accountId, made.Details.Prefix);
        KeepNowhere(context.Response);
        return TypedResults.Created($"{Path}/accounts/{accountId}/keys", AdminNewKeyResponse.From(accountId, made));
    }

    private static async Task<Ok<AdminRevokedKeyResponse>> RevokeKeyAsync(
        HttpContext context, string prefix, AccountAdministration accounts, ApiKeyVerifier verifier, AdminAudit audit, CancellationToken cancellationToken)
    {
        var revoked = await accounts.RevokeKeyAsync(prefix, cancellationToken);
        verifier.Forget(prefix);
        audit.Log(context, "revocation of a key", revoked.AccountId, prefix);
        return TypedResults.Ok(new AdminRevokedKeyResponse(revoked.AccountId, AdminKeyResponse.From(revoked)));
    }

    /// <summary>Nothing on the way keeps a secret.</summary>
    private static void KeepNowhere(HttpResponse response) => response.Headers.CacheControl = "no-store";
}
