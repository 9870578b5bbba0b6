using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.Gateway.Preconditions;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Tools.OpenApi;

namespace VoiceGrains.Gateway.Tools;

/// <summary>Durable tools over REST: an account's own, and the built-in ones, which can be read and selected only.</summary>
internal static class ToolEndpoints
{
    private static readonly Dictionary<string, ToolOrder> Orders = new(StringComparer.Ordinal)
    {
        ["display"] = ToolOrder.Display, ["alphabetic"] = ToolOrder.Alphabetic, ["reverseAlphabetic"] = ToolOrder.ReverseAlphabetic,
        ["chronologic"] = ToolOrder.Chronologic, ["reverseChronologic"] = ToolOrder.ReverseChronologic, ["default"] = ToolOrder.Default,
    };

    public static void MapTools(this IEndpointRouteBuilder routes)
    {
        var tools = routes.MapGroup("/api/tools").WithTags("tools");
        tools.MapGet("", ListAsync).WithName("ListTools").TakesQuery("ownership:private|public", "search", $"sortOrder:{string.Join('|', Orders.Keys)}");
        tools.MapPost("", CreateAsync).WithName("CreateTool").TakesJson<ToolRequest>().TakesUpload().Answers<ToolResponse>(201).WithEntityTag();
        tools.MapGet("/{toolId:guid}", GetAsync).WithName("GetTool").WithEntityTag();
        tools.MapPut("/{toolId:guid}", ReplaceAsync).WithName("ReplaceTool").WithEntityTag();
        tools.MapDelete("/{toolId:guid}", DeleteAsync).WithName("DeleteTool");
        tools.MapGet("/{toolId:guid}/history", ListHistoryAsync).WithName("ListToolHistory");
        tools.MapPost("/{toolId:guid}/test", TestAsync).WithName("TestTool");
    }

    private static async Task<Ok<PageResponse<ToolResponse>>> ListAsync(
        HttpRequest request, Caller caller, PageQuery page, ToolStore store, CancellationToken cancellationToken)
    {
        bool? isPublic = QueryText.ReadChoice(request.Query, "ownership", ToolResponse.Public, ToolResponse.Private) switch
        {
            ToolResponse.Public => true,
            ToolResponse.Private => false,
            _ => null,
        };
        var search = QueryText.Read(request.Query, "search", maxLength: 200);
        var order = Orders[QueryText.ReadChoice(request.Query, "sortOrder", [.. Orders.Keys]) ?? "default"];
        var found = await store.ListAsync(caller.AccountId, isPublic, search, order, page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(found.Select(ToolResponse.From), request));
    }

    /// <summary>A file with several operations is answered by the list of its tools; everything else by the one tool.</summary>
    private static async Task<IResult> CreateAsync(
        HttpRequest request, Caller caller, ToolStore store, IOptions<DurableToolOptions> options, CancellationToken cancellationToken)
    {
        var drafts = MultipartBody.Is(request)
            ? OpenApiImport.Read((await MultipartBody.ReadAsync(request, options.Value.MaxImportBytes, cancellationToken)).File, options.Value.MaxImportTools)
            : [Draft(Body<ToolRequest>.Read(await JsonBody.ReadAsync(request, cancellationToken)).Value)];
        var tools = await store.CreateAsync(caller.AccountId, drafts, cancellationToken);
        return tools.Count == 1
            ? TypedResults.Created($"/api/tools/{tools[0].ToolId}", ToolResponse.From(tools[0]))
            : TypedResults.Created("/api/tools", tools.Select(ToolResponse.From).ToArray());
    }

    private static async Task<Ok<ToolResponse>> GetAsync(Guid toolId, Caller caller, ToolStore store, CancellationToken cancellationToken)
        => TypedResults.Ok(ToolResponse.From(await store.RequireAsync(caller, toolId, cancellationToken)));

    private static async Task<Ok<ToolResponse>> ReplaceAsync(
        Guid toolId, Caller caller, IfMatch match, Body<ToolRequest> body, ToolStore store, CancellationToken cancellationToken)
    {
        RefuseBuiltIn(toolId);
        var tool = await store.ReplaceAsync(caller.AccountId, toolId.ToString(), Draft(body.Value), match.Versions, cancellationToken);
        return TypedResults.Ok(ToolResponse.From(tool ?? throw NoTool()));
    }

    private static async Task<NoContent> DeleteAsync(Guid toolId, Caller caller, IfMatch match, ToolStore store, CancellationToken cancellationToken)
    {
        RefuseBuiltIn(toolId);
        return await store.DeleteAsync(caller.AccountId, toolId.ToString(), match.Versions, cancellationToken) ? TypedResults.NoContent() : throw NoTool();
    }

    private static async Task<Ok<PageResponse<ToolHistoryResponse>>> ListHistoryAsync(
        Guid toolId, HttpRequest request, Caller caller, PageQuery page, ToolStore store, ToolHistory history, CancellationToken cancellationToken)
    {
        var tool = await store.RequireAsync(caller, toolId, cancellationToken);
        var uses = await history.ListAsync(caller.AccountId, tool.ToolId, page.Page, cancellationToken);
        return TypedResults.Ok(PageResponse.From(uses.Select(ToolHistoryResponse.From), request));
    }

    private static async Task<Ok<ToolTestResponse>> TestAsync(
        Guid toolId, Caller caller, Body<ToolTestRequest> body, ToolStore store, ToolSelection selection, ToolTester tester, CancellationToken cancellationToken)
    {
        var tool = await store.RequireAsync(caller, toolId, cancellationToken);
        if (tool.Definition.Http is null) throw ToolTester.NotHttp();
        var (arguments, overrides) = Split(body.Value.Parameters, tool.Definition);
        var selected = new SelectedTool { ToolId = tool.ToolId, ParameterOverrides = overrides, AuthTokens = body.Value.AuthTokens };
        var errors = new InputErrors();
        var resolved = await selection.ResolveAsync(caller.AccountId, [selected], errors, cancellationToken);
        if (resolved.Count == 0) throw errors.Any ? new InvalidInputException(errors.Item(0)) : NoTool();
        var context = new ToolTestContext(
            Guid.NewGuid().ToString(), Guid.NewGuid().ToString(), body.Value.CallState ?? [], body.Value.Metadata ?? new Dictionary<string, string>());
        return TypedResults.Ok(ToolTestResponse.From(await tester.RunAsync(resolved[0], arguments, context, cancellationToken)));
    }

    /// <summary>What a call would have to override is no argument of the model.</summary>
    private static (JsonObject Arguments, JsonObject Overrides) Split(JsonObject? parameters, BaseToolDefinition definition)
    {
        var (arguments, overrides) = (new JsonObject(), new JsonObject());
        var overridden = (definition.Requirements?.RequiredParameterOverrides ?? []).Concat((definition.StaticParameters ?? []).Select(p => p.Name!)).ToHashSet();
        foreach (var (name, value) in parameters ?? []) (overridden.Contains(name) ? overrides : arguments)[name] = value?.DeepClone();
        return (arguments, overrides);
    }

    private static ToolDraft Draft(ToolRequest request)
    {
        var errors = new InputErrors();
        ToolDefinitionRules.Check(request.Definition!, errors.Field("definition"));
        errors.ThrowIfAny();
        return new(request.Name!, request.Definition!);
    }

    private static async Task<Tool> RequireAsync(this ToolStore store, Caller caller, Guid toolId, CancellationToken cancellationToken)
        => await store.FindAsync(caller.AccountId, toolId.ToString(), cancellationToken) ?? throw NoTool();

    private static void RefuseBuiltIn(Guid toolId)
    {
        if (BuiltInTool.All.Any(tool => Guid.Parse(tool.ToolId) == toolId)) throw new PlatformException(ErrorCode.ReadOnly, "Built-in tools cannot be changed.");
    }

    private static PlatformException NoTool() => new(ErrorCode.NotFound, "No Tool matches the given query.");
}
