using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Orleans;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Preconditions;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Gateway.Agents;

internal static class AgentEndpoints
{
    public static void MapAgents(this IEndpointRouteBuilder routes)
    {
        var agents = routes.MapGroup("/api/agents").WithTags("agents");
        agents.MapGet("", ListAsync).WithName("ListAgents").TakesQuery("search", "sort");
        agents.MapPost("", CreateAsync).WithName("CreateAgent").WithEntityTag();
        agents.MapGet("/{agentId:guid}", GetAsync).WithName("GetAgent").WithEntityTag();
        agents.MapPatch("/{agentId:guid}", UpdateAsync).WithName("UpdateAgent").WithEntityTag();
        agents.MapDelete("/{agentId:guid}", DeleteAsync).WithName("DeleteAgent");
    }

    private static async Task<Ok<PageResponse<AgentResponse>>> ListAsync(
        HttpRequest request, Caller caller, PageQuery query, AgentStore store, ILanguageModelCatalog models, CancellationToken cancellationToken)
        => TypedResults.Ok(PageResponse.From(await FindAsync(request.Query, caller, query, store, models, cancellationToken), request));

    internal static async Task<Page<AgentResponse>> FindAsync(
        IQueryCollection query, Caller caller, PageQuery part, AgentStore store, ILanguageModelCatalog models, CancellationToken cancellationToken)
    {
        var sort = QueryText.ReadChoice(query, "sort", "created", "-created", "name", "-name") ?? "-created";
        var column = sort.EndsWith("name", StringComparison.Ordinal) ? AgentStore.ByName : AgentStore.ByCreated;
        var search = QueryText.Read(query, "search", maxLength: 200);
        var page = await store.ListAsync(caller.AccountId, search, part.Page, column, descending: sort[0] == '-', cancellationToken);
        return page.Select(a => AgentResponse.From(a.Agent, a.Calls, models.DefaultAlias));
    }

    internal static async Task<Created<AgentResponse>> CreateAsync(
        Caller caller, Body<AgentRequest> body, CallTemplateRules rules, IGrainFactory grains, ILanguageModelCatalog models, CancellationToken cancellationToken)
    {
        var template = body.Value.CallTemplate ?? new CallTemplate();
        await CheckAsync(rules, caller, template, cancellationToken);
        var agentId = Guid.NewGuid().ToString();
        var agent = await grains.GetGrain<IAgentGrain>(agentId).CreateAsync(caller.AccountId, body.Value.Name ?? "Untitled agent", template);
        return TypedResults.Created($"/api/agents/{agentId}", AgentResponse.From(agent, calls: 0, models.DefaultAlias));
    }

    internal static async Task<Ok<AgentResponse>> GetAsync(
        Guid agentId, Caller caller, IGrainFactory grains, AgentStore store, ILanguageModelCatalog models, CancellationToken cancellationToken)
        => TypedResults.Ok(await ShowAsync(await Grain(grains, agentId).GetAsync(caller.AccountId), store, models, cancellationToken));

    internal static async Task<Ok<AgentResponse>> UpdateAsync(
        Guid agentId, Caller caller, IfMatch match, Body<AgentRequest> body, CallTemplateRules rules, IGrainFactory grains, AgentStore store, ILanguageModelCatalog models,
        CancellationToken cancellationToken)
    {
        var agent = await Grain(grains, agentId).GetAsync(caller.AccountId);
        var changes = Changes(body.Json);
        if (changes is not null) await CheckAsync(rules, caller, CallTemplateChanges.Apply(agent.CallTemplate, changes), cancellationToken);
        var changed = await Grain(grains, agentId).UpdateAsync(caller.AccountId, body.Value.Name, changes, match.Versions);
        return TypedResults.Ok(await ShowAsync(changed, store, models, cancellationToken));
    }

    internal static async Task<NoContent> DeleteAsync(Guid agentId, Caller caller, IfMatch match, IGrainFactory grains)
    {
        await Grain(grains, agentId).DeleteAsync(caller.AccountId, match.Versions);
        return TypedResults.NoContent();
    }

    /// <summary>The template's fields as given: absent ones stay, which the record could not tell from null ones.</summary>
    private static JsonObject? Changes(JsonElement body)
        => body.TryGetProperty("callTemplate", out var template) && template.ValueKind == JsonValueKind.Object ? JsonObject.Create(template) : null;

    private static async Task CheckAsync(CallTemplateRules rules, Caller caller, CallTemplate template, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        await rules.CheckAgentAsync(caller.AccountId, template, errors.Field("callTemplate"), cancellationToken);
        errors.ThrowIfAny();
    }

    private static async Task<AgentResponse> ShowAsync(Agent agent, AgentStore store, ILanguageModelCatalog models, CancellationToken cancellationToken)
        => AgentResponse.From(agent, await store.CountCallsAsync(agent.AccountId, agent.AgentId, cancellationToken), models.DefaultAlias);

    private static IAgentGrain Grain(IGrainFactory grains, Guid agentId) => grains.GetGrain<IAgentGrain>(agentId.ToString());
}
