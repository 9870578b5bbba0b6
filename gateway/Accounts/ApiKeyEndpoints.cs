using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>An account's API keys. Every key of an account may manage all of them, itself included.</summary>
internal static class ApiKeyEndpoints
{
    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/api_keys").WithTags("api_keys");
        keys.MapGet("", ListAsync).WithName("ListApiKeys");
        keys.MapPost("", CreateAsync).WithName("CreateApiKey");
        keys.MapGet("/{prefix:length(8)}", GetAsync).WithName("GetApiKey");
        keys.MapPut("/{prefix:length(8)}", UpdateAsync).WithName("ReplaceApiKey");
        keys.MapPatch("/{prefix:length(8)}", UpdateAsync).WithName("UpdateApiKey");
        keys.MapDelete("/{prefix:length(8)}", DeleteAsync).WithName("DeleteApiKey");
    }

    private static async Task<Ok<PageResponse<ApiKeyResponse>>> ListAsync(
        HttpRequest request, Caller caller, PageQuery query, ApiKeyStore store, CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(caller.Account.AccountId, query.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(page.Select(ApiKeyResponse.From), request));
    }

    private static async Task<Created<NewApiKeyResponse>> CreateAsync(
        HttpResponse response, Caller caller, Body<ApiKeyRequest> body, ApiKeyStore store, CancellationToken cancellationToken)
    {
        var made = await store.CreateAsync(caller.Account.AccountId, body.Value.Name, body.Value.ExpiryDate, cancellationToken);
        response.Headers.CacheControl = "no-store";   // nothing on the way keeps the secret
        return TypedResults.Created($"/api/api_keys/{made.Details.Prefix}", NewApiKeyResponse.From(made));
    }

    private static async Task<Ok<ApiKeyResponse>> GetAsync(string prefix, Caller caller, ApiKeyStore store, CancellationToken cancellationToken)
        => TypedResults.Ok(ApiKeyResponse.From(await RequireAsync(store, caller, prefix, cancellationToken)));

    /// <summary>Replaces as well: the one field that may be set is optional there too.</summary>
    private static async Task<Ok<ApiKeyResponse>> UpdateAsync(
        string prefix, Caller caller, Body<ApiKeyPatch> body, ApiKeyStore store, ApiKeyVerifier verifier, CancellationToken cancellationToken)
    {
        var key = await RequireAsync(store, caller, prefix, cancellationToken);
        if (body.Value.Revoked is false && key.Revoked is not null)
            throw new InvalidInputException("revoked", "The API key has been revoked, which cannot be undone.");
        if (body.Value.Revoked is true)
        {
            key = await store.RevokeAsync(caller.Account.AccountId, prefix, cancellationToken) ?? throw NotFound();
            verifier.Forget(prefix);
        }
        return TypedResults.Ok(ApiKeyResponse.From(key));
    }

    private static async Task<NoContent> DeleteAsync(
        string prefix, Caller caller, ApiKeyStore store, ApiKeyVerifier verifier, CancellationToken cancellationToken)
    {
        if (!await store.DeleteAsync(caller.Account.AccountId, prefix, cancellationToken)) throw NotFound();
        verifier.Forget(prefix);
        return TypedResults.NoContent();
    }

    private static async Task<ApiKeyDetails> RequireAsync(ApiKeyStore store, Caller caller, string prefix, CancellationToken cancellationToken)
        => await store.FindAsync(caller.Account.AccountId, prefix, cancellationToken) ?? throw NotFound();

    private static PlatformException NotFound() => new(ErrorCode.NotFound, "No APIKey matches the given query.");
}
