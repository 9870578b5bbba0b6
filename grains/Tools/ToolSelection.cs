using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Tools.BuiltIn;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>Turns the tools that a client selected into the tools of a call: found, completed by their overrides, authenticated.</summary>
public sealed class ToolSelection(ToolStore store)
{
    /// <summary>Resolves every selected tool, in order. What is wrong is told at its place; a tool with a problem is left out.</summary>
    /// <param name="accountId">Whose durable tools may be named.</param>
    /// <param name="selected">Null is none.</param>
    /// <param name="errors">The place of the list.</param>
    /// <param name="cancellationToken">Cancels look-ups.</param>
    /// <param name="areTemplates">Whether ids and names may hold <c>{{variables}}</c>: whether such a tool exists is known once a call fills them.</param>
    public async Task<IReadOnlyList<CallTool>> ResolveAsync(
        string accountId, IReadOnlyList<SelectedTool>? selected, InputErrors errors, CancellationToken cancellationToken, bool areTemplates = false)
    {
        if (selected is not { Count: > 0 }) return [];
        var durable = await FindAsync(accountId, selected, cancellationToken);
        var tools = new List<CallTool>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < selected.Count; i++)
        {
            var at = errors.Item(i);
            if (areTemplates && (IsTemplate(selected[i].ToolId) || IsTemplate(selected[i].ToolName))) continue;
            if (Resolve(selected[i], durable, at) is not { } tool) continue;
            if (!names.Add(tool.Name)) at.Field(NameField(selected[i])).Add($"Another selected tool is named '{tool.Name}' too; set 'nameOverride'.");
            else tools.Add(tool);
        }
        return tools;
    }

    /// <summary>The names under which the model would see the tools, in order; null for a tool that does not exist.</summary>
    public async Task<IReadOnlyList<string?>> NamesAsync(string accountId, IReadOnlyList<SelectedTool> selected, CancellationToken cancellationToken)
    {
        var durable = await FindAsync(accountId, selected, cancellationToken);
        return [.. selected.Select(tool => tool.NameOverride ?? tool.TemporaryTool?.ModelToolName ?? durable.Find(tool)?.Definition.ModelToolName)];
    }

    private async Task<DurableTools> FindAsync(string accountId, IReadOnlyList<SelectedTool> selected, CancellationToken cancellationToken)
    {
        var ids = selected.Select(tool => tool.ToolId).OfType<string>().Where(id => Guid.TryParseExact(id, "D", out _)).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var names = selected.Select(tool => tool.ToolName).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        return new(ids.Count + names.Count == 0 ? [] : await store.FindAsync(accountId, ids, names, cancellationToken));
    }

    private static CallTool? Resolve(SelectedTool selected, DurableTools durable, InputErrors errors)
    {
        var tool = durable.Find(selected);
        if ((selected.TemporaryTool ?? tool?.Definition) is not { } definition)
        {
            TellMissing(selected, errors);
            return null;
        }
        if (selected.TemporaryTool is not null) ToolDefinitionRules.Check(definition, errors.Field("temporaryTool"));
        var overrides = selected.ParameterOverrides ?? [];
        CheckOverrides(definition, overrides, errors);
        if (tool?.BuiltIn is { } builtIn) BuiltInTools.Check(builtIn, overrides, errors.Field("parameterOverrides"));
        var keys = ToolSecurity.Satisfy(definition.Requirements?.HttpSecurityOptions, selected.AuthTokens, errors.Field("authTokens"));
        if (errors.Any) return null;
        return new CallTool
        {
            CallToolId = Guid.NewGuid().ToString(),
            ToolId = tool?.ToolId,
            Name = selected.NameOverride ?? definition.ModelToolName!,
            BuiltIn = tool?.BuiltIn,
            AuthHeaders = keys.Headers,
            AuthQueryParams = keys.QueryParams,
            ParameterOverrides = (definition.DynamicParameters ?? []).Where(p => overrides.ContainsKey(p.Name!)).ToDictionary(p => p.Name!, p => overrides[p.Name!]?.DeepClone()),
            SecretParameters = overrides.Where(o => IsSecret(tool, o.Key)).ToDictionary(o => o.Key, o => o.Value?.DeepClone()),
            Definition = Define(definition, selected, new JsonObject(overrides.Where(o => !IsSecret(tool, o.Key)).Select(o => KeyValuePair.Create(o.Key, o.Value?.DeepClone()))), keys),
        };
    }

    private static void TellMissing(SelectedTool selected, InputErrors errors)
    {
        if (selected.ToolId is { } id) errors.Field("toolId").Add($"Tool '{JsonLeaf.Shorten(id)}' does not exist.");
        else if (selected.ToolName is { } name) errors.Field("toolName").Add($"Tool '{JsonLeaf.Shorten(name)}' does not exist.");
        else errors.AddNonField("One of 'toolId', 'toolName' and 'temporaryTool' must be set.");
    }

    private static void CheckOverrides(BaseToolDefinition definition, JsonObject overrides, InputErrors errors)
    {
        var known = (definition.DynamicParameters ?? []).Select(p => p.Name).Concat((definition.StaticParameters ?? []).Select(p => p.Name))
            .Concat((definition.AutomaticParameters ?? []).Select(p => p.Name)).ToHashSet();
        foreach (var (name, _) in overrides)
            if (!known.Contains(name)) errors.Field("parameterOverrides").Field(name).Add("The tool has no such parameter.");
        foreach (var name in definition.Requirements?.RequiredParameterOverrides ?? [])
            if (!overrides.ContainsKey(name)) errors.Field("parameterOverrides").Field(name).Add("This parameter must be overridden.");
    }

    private static CallToolDefinition Define(BaseToolDefinition definition, SelectedTool selected, JsonObject overrides, ToolKeys keys) => new()
    {
        Description = selected.DescriptionOverride ?? definition.Description,
        DynamicParameters = definition.DynamicParameters ?? [],
        StaticParameters =
        [
            .. (definition.StaticParameters ?? []).Select(p => overrides.TryGetPropertyValue(p.Name!, out var value) ? p with { Value = value?.DeepClone() } : p),
            .. (definition.AutomaticParameters ?? []).Where(p => overrides.ContainsKey(p.Name!))
                .Select(p => new StaticParameter { Name = p.Name, Location = p.Location, Value = overrides[p.Name!]?.DeepClone() }),
        ],
        AutomaticParameters = [.. (definition.AutomaticParameters ?? []).Where(p => !overrides.ContainsKey(p.Name!))],
        Timeout = definition.Timeout ?? ToolSchema.DefaultTimeout,
        Precomputable = definition.Precomputable ?? false,
        Http = definition.Http is null ? null : new()
        {
            BaseUrlPattern = definition.Http.BaseUrlPattern,
            HttpMethod = definition.Http.HttpMethod,
            AuthHeaders = [.. keys.Headers.Keys],
            AuthQueryParams = [.. keys.QueryParams.Keys],
            CallTokenScopes = keys.CallTokenScopes,
        },
        Client = definition.Client,
        DataConnection = definition.DataConnection,
        DefaultReaction = definition.DefaultReaction ?? AgentReaction.Speaks,
        StaticResponse = definition.StaticResponse,
    };

    private static bool IsSecret(Tool? tool, string parameter) => tool?.BuiltIn is not null && BuiltInTools.IsSecret(parameter);

    private static string NameField(SelectedTool selected)
        => selected.NameOverride is not null ? "nameOverride" : selected.TemporaryTool is not null ? "temporaryTool" : selected.ToolName is not null ? "toolName" : "toolId";

    private static bool IsTemplate(string? text) => text?.Contains("{{", StringComparison.Ordinal) == true;

    /// <summary>What of a selection's ids and names was found. By name an account's own tool stands before a built-in one.</summary>
    private sealed record DurableTools(IReadOnlyList<Tool> Found)
    {
        public Tool? Find(SelectedTool selected)
            => selected.ToolId is { Length: > 0 } id ? Found.FirstOrDefault(tool => tool.ToolId.Equals(id, StringComparison.OrdinalIgnoreCase))
                : selected.ToolName is { Length: > 0 } name ? Found.Where(tool => tool.Name == name).MinBy(tool => tool.IsPublic)
                : null;
    }
}
