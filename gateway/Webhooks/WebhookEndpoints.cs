using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Gateway.Webhooks;

internal static class WebhookEndpoints
{
    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var webhooks = routes.MapGroup("/api/webhooks").WithTags("webhooks");
        webhooks.MapGet("", ListAsync).WithName("ListWebhooks").TakesQuery("agentId:uuid");
        webhooks.MapPost("", CreateAsync).WithName("CreateWebhook");
        webhooks.MapGet("/{webhookId:guid}", GetAsync).WithName("GetWebhook");
        webhooks.MapPut("/{webhookId:guid}", ReplaceAsync).WithName("ReplaceWebhook");
        webhooks.MapPatch("/{webhookId:guid}", UpdateAsync).WithName("UpdateWebhook");
        webhooks.MapDelete("/{webhookId:guid}", DeleteAsync).WithName("DeleteWebhook");
    }

    private static async Task<Ok<PageResponse<WebhookResponse>>> ListAsync(
        HttpRequest request, Caller caller, PageQuery query, WebhookStore store, CancellationToken cancellationToken)
    {
        var agentId = QueryText.Read(request.Query, "agentId");
        if (agentId is not null && !Guid.TryParse(agentId, out _)) throw new InvalidInputException("agentId", "Must be a valid UUID.");
        var page = await store.ListAsync(caller.AccountId, agentId is null ? null : Guid.Parse(agentId).ToString(), query.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(page.Select(WebhookResponse.From), request));
    }

    private static async Task<Created<WebhookResponse>> CreateAsync(
        Caller caller, Body<WebhookRequest> body, WebhookRules rules, WebhookStore store, CancellationToken cancellationToken)
    {
        var terms = Changes(body.Value, body.Json);
        terms = terms with { Secrets = terms.Secrets ?? [WebhookStore.CreateSecret()] };
        await rules.CheckAsync(caller.AccountId, terms, known: null);
        var webhook = await store.CreateAsync(caller.AccountId, terms, cancellationToken);
        return TypedResults.Created($"/api/webhooks/{webhook.WebhookId}", WebhookResponse.From(webhook));
    }

    private static async Task<Ok<WebhookResponse>> GetAsync(Guid webhookId, Caller caller, WebhookStore store, CancellationToken cancellationToken)
        => TypedResults.Ok(WebhookResponse.From(await RequireAsync(store, caller, webhookId, cancellationToken)));

    /// <summary>Optional fields that are absent keep their value, as in Django REST framework: a client that never saw the secrets does not lose them.</summary>
    private static Task<Ok<WebhookResponse>> ReplaceAsync(
        Guid webhookId, Caller caller, Body<WebhookRequest> body, WebhookRules rules, WebhookStore store, CancellationToken cancellationToken)
        => StoreAsync(webhookId, caller, Changes(body.Value, body.Json), rules, store, cancellationToken);

    private static Task<Ok<WebhookResponse>> UpdateAsync(
        Guid webhookId, Caller caller, Body<WebhookPatch> body, WebhookRules rules, WebhookStore store, CancellationToken cancellationToken)
    {
        var given = body.Value;
        var changes = new WebhookChanges(IsAgentGiven(body.Json), given.AgentId?.ToString(), given.Url, given.Secrets, given.Events);
        return StoreAsync(webhookId, caller, changes, rules, store, cancellationToken);
    }

    private static async Task<NoContent> DeleteAsync(Guid webhookId, Caller caller, WebhookStore store, CancellationToken cancellationToken)
    {
        if (!await store.DeleteAsync(caller.AccountId, webhookId, cancellationToken)) throw NotFound();
        return TypedResults.NoContent();
    }

    private static async Task<Ok<WebhookResponse>> StoreAsync(
        Guid webhookId, Caller caller, WebhookChanges changes, WebhookRules rules, WebhookStore store, CancellationToken cancellationToken)
    {
        var known = await RequireAsync(store, caller, webhookId, cancellationToken);
        await rules.CheckAsync(caller.AccountId, changes, known);
        var stored = await store.UpdateAsync(caller.AccountId, webhookId, changes, cancellationToken) ?? throw NotFound();
        return TypedResults.Ok(WebhookResponse.From(stored));
    }

    private static WebhookChanges Changes(WebhookRequest given, JsonElement json)
        => new(IsAgentGiven(json), given.AgentId?.ToString(), given.Url, given.Secrets, given.Events);

    private static bool IsAgentGiven(JsonElement json) => json.TryGetProperty("agentId", out _);

    private static async Task<Webhook> RequireAsync(WebhookStore store, Caller caller, Guid webhookId, CancellationToken cancellationToken)
        => await store.FindAsync(caller.AccountId, webhookId, cancellationToken) ?? throw NotFound();

    private static PlatformException NotFound() => new(ErrorCode.NotFound, "No Webhook matches the given query.");
}
