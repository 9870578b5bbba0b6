using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>Turns the tools that a client selected into the tools of a call: found, completed by their overrides, authenticated.</summary>
public sealed class ToolSelection
{
    /// <summary>Resolves every selected tool, in order. What is wrong is told at its place; a tool with a problem is left out.</summary>
    /// <param name="accountId">Whose durable tools may be named.</param>
    /// <param name="selected">Null is none.</param>
    /// <param name="errors">The place of the list.</param>
    /// <param name="cancellationToken">Cancels look-ups.</param>
    public Task<IReadOnlyList<CallTool>> ResolveAsync(
        string accountId, IReadOnlyList<SelectedTool>? selected, InputErrors errors, CancellationToken cancellationToken)
    {
        var tools = new List<CallTool>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < (selected?.Count ?? 0); i++)
        {
            var at = errors.Item(i);
            if (Resolve(selected![i], at) is not { } tool) continue;
            if (!names.Add(tool.Name)) at.Field(NameField(selected[i])).Add($"Another selected tool is named '{tool.Name}' too; set 'nameOverride'.");
            else tools.Add(tool);
        }
        return Task.FromResult<IReadOnlyList<CallTool>>(tools);
    }

    private static CallTool? Resolve(SelectedTool selected, InputErrors errors)
    {
        if (Find(selected, errors) is not { } found) return null;
        var definition = found.Definition;
        if (selected.TemporaryTool is not null) ToolDefinitionRules.Check(definition, errors.Field("temporaryTool"));
        var overrides = selected.ParameterOverrides ?? [];
        CheckOverrides(definition, overrides, errors);
        var keys = ToolSecurity.Satisfy(definition.Requirements?.HttpSecurityOptions, selected.AuthTokens, errors.Field("authTokens"));
        if (errors.Any) return null;
        return new CallTool
        {
            CallToolId = Guid.NewGuid().ToString(),
            ToolId = found.ToolId,
            Name = selected.NameOverride ?? definition.ModelToolName!,
            BuiltIn = found.BuiltIn,
            AuthHeaders = keys.Headers,
            AuthQueryParams = keys.QueryParams,
            ParameterOverrides = (definition.DynamicParameters ?? []).Where(p => overrides.ContainsKey(p.Name!)).ToDictionary(p => p.Name!, p => overrides[p.Name!]?.DeepClone()),
            Definition = Define(definition, selected, overrides, keys),
        };
    }

    private static (string? ToolId, string? BuiltIn, BaseToolDefinition Definition)? Find(SelectedTool selected, InputErrors errors)
    {
        if (selected.TemporaryTool is { } temporary) return (null, null, temporary);
        if (selected.ToolId is { } id)
        {
            if (BuiltInTool.All.FirstOrDefault(t => t.ToolId.Equals(id, StringComparison.OrdinalIgnoreCase)) is { } byId) return (byId.ToolId, byId.Name, byId.Definition);
            errors.Field("toolId").Add($"Tool '{Short(id)}' does not exist.");
        }
        else if (selected.ToolName is { } name)
        {
            if (BuiltInTool.All.FirstOrDefault(t => t.Name == name) is { } byName) return (byName.ToolId, byName.Name, byName.Definition);
            errors.Field("toolName").Add($"Tool '{Short(name)}' does not exist.");
        }
        else errors.AddNonField("One of 'toolId', 'toolName' and 'temporaryTool' must be set.");
        return null;
    }

    private static void CheckOverrides(BaseToolDefinition definition, JsonObject overrides, InputErrors errors)
    {
        var known = (definition.DynamicParameters ?? []).Select(p => p.Name).Concat((definition.StaticParameters ?? []).Select(p => p.Name)).ToHashSet();
        foreach (var (name, _) in overrides)
            if (!known.Contains(name)) errors.Field("parameterOverrides").Field(name).Add("The tool has no such parameter.");
        foreach (var name in definition.Requirements?.RequiredParameterOverrides ?? [])
            if (!overrides.ContainsKey(name)) errors.Field("parameterOverrides").Field(name).Add("This parameter must be overridden.");
    }

    private static CallToolDefinition Define(BaseToolDefinition definition, SelectedTool selected, JsonObject overrides, ToolKeys keys) => new()
    {
        Description = selected.DescriptionOverride ?? definition.Description,
        DynamicParameters = definition.DynamicParameters ?? [],
        StaticParameters = [.. (definition.StaticParameters ?? []).Select(p => overrides.TryGetPropertyValue(p.Name!, out var value) ? p with { Value = value?.DeepClone() } : p)],
        AutomaticParameters = definition.AutomaticParameters ?? [],
        Timeout = definition.Timeout ?? TimeSpan.FromSeconds(2.5),
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

    private static string NameField(SelectedTool selected)
        => selected.NameOverride is not null ? "nameOverride" : selected.TemporaryTool is not null ? "temporaryTool" : selected.ToolName is not null ? "toolName" : "toolId";

    private static string Short(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
