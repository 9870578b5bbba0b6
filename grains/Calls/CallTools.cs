using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Calls;

/// <summary>Makes the tools of a call from those that a request selects: overrides applied, authentication settled, everything checked.</summary>
internal static class CallTools
{
    /// <summary>Built-in tools that the documentation names and this server does not have yet.</summary>
    private static readonly HashSet<string> Unavailable =
        new(["queryCorpus", "leaveVoicemail", "playDtmfSounds", "coldTransfer", "warmTransfer"], StringComparer.Ordinal);

    private static readonly BuiltInTool HangUp = new("b7c1d0e2-5d0a-4c5e-8f6e-2a1f3f0c9d10", "hangUp", new CallToolDefinition
    {
        Description = "Ends the call. Use it when the user says goodbye or the conversation has come to its end.",
        DynamicParameters =
        [
            new()
            {
                Name = "reason", Location = ParameterLocation.Body, Required = false,
                Schema = new JsonObject { ["type"] = "string", ["description"] = "Why the call ends." },
            },
        ],
    }, ["strict"]);

    /// <summary>The tools, or those that are right; what is wrong with the others goes to <paramref name="errors"/>.</summary>
    public static IReadOnlyList<CallTool> Create(IReadOnlyList<SelectedTool> selected, InputErrors errors)
    {
        var tools = new List<CallTool>();
        for (var i = 0; i < selected.Count; i++)
        {
            if (Create(selected[i], errors.Item(i)) is not { } tool) continue;
            if (tools.Exists(other => other.Name == tool.Name)) errors.Item(i).AddNonField($"Another tool of the call is named '{tool.Name}' too. Use nameOverride.");
            else tools.Add(tool);
        }
        return tools;
    }

    /// <summary>The model-facing name; null for tools that do not exist.</summary>
    public static string? NameOf(SelectedTool tool)
        => tool.NameOverride ?? tool.TemporaryTool?.ModelToolName ?? (IsHangUp(tool) ? HangUp.Name : null);

    private static CallTool? Create(SelectedTool selected, InputErrors errors)
    {
        if (selected.TemporaryTool is { } temporary) return Create(selected, null, temporary.ModelToolName!, Define(temporary), null, temporary.Requirements, errors);
        if (IsHangUp(selected)) return Create(selected, HangUp.Id, HangUp.Name, HangUp.Definition, HangUp, null, errors);
        if (selected.ToolId is { } id) errors.Field("toolId").Add($"Unknown tool '{Shorten(id)}'.");
        else if (Unavailable.Contains(selected.ToolName!)) errors.Field("toolName").Add($"The built-in tool '{selected.ToolName}' is not available on this server yet.");
        else errors.Field("toolName").Add($"Unknown tool '{Shorten(selected.ToolName!)}'.");
        return null;
    }

    private static CallTool? Create(
        SelectedTool selected, string? toolId, string name, CallToolDefinition definition, BuiltInTool? builtIn, ToolRequirements? requirements, InputErrors errors)
    {
        CheckParameters(definition, selected.TemporaryTool is null ? errors : errors.Field("temporaryTool"));
        CheckOverrides(selected, definition, builtIn, requirements, errors);
        var security = CallToolSecurity.Choose(requirements?.HttpSecurityOptions, selected.AuthTokens, errors);
        if (errors.Any) return null;
        return new CallTool
        {
            CallToolId = Guid.NewGuid().ToString(),
            ToolId = toolId,
            Name = selected.NameOverride ?? name,
            Definition = definition with
            {
                Description = selected.DescriptionOverride ?? definition.Description,
                Http = definition.Http is { } http ? http with { AuthHeaders = [.. security.Headers.Keys], AuthQueryParams = [.. security.Query.Keys] } : null,
            },
            AuthHeaders = security.Headers,
            AuthQueryParams = security.Query,
            ParameterOverrides = selected.ParameterOverrides?.ToDictionary(each => each.Key, each => each.Value?.DeepClone()) ?? [],
            BuiltIn = builtIn?.Name,
        };
    }

    private static CallToolDefinition Define(BaseToolDefinition tool) => new()
    {
        Description = tool.Description,
        DynamicParameters = tool.DynamicParameters ?? [],
        StaticParameters = tool.StaticParameters ?? [],
        AutomaticParameters = tool.AutomaticParameters ?? [],
        Timeout = tool.Timeout,
        Precomputable = tool.Precomputable,
        Http = tool.Http is { } http ? new HttpToolDetails { BaseUrlPattern = http.BaseUrlPattern, HttpMethod = http.HttpMethod } : null,
        Client = tool.Client,
        DataConnection = tool.DataConnection,
        DefaultReaction = tool.DefaultReaction,
        StaticResponse = tool.StaticResponse,
    };

    /// <summary>Each value needs one place and each place one value; tools without HTTP have no place but the body.</summary>
    private static void CheckParameters(CallToolDefinition tool, InputErrors errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Check("dynamicParameters", [.. tool.DynamicParameters.Select(parameter => (parameter.Name!, parameter.Location!.Value))]);
        Check("staticParameters", [.. tool.StaticParameters.Select(parameter => (parameter.Name!, parameter.Location!.Value))]);
        Check("automaticParameters", [.. tool.AutomaticParameters.Select(parameter => (parameter.Name!, parameter.Location!.Value))]);

        void Check(string field, (string Name, ParameterLocation Location)[] parameters)
        {
            for (var i = 0; i < parameters.Length; i++)
            {
                var (name, location) = parameters[i];
                var at = errors.Field(field).Item(i);
                if (!names.Add(name)) at.Field("name").Add($"Another parameter is named '{Shorten(name)}' too.");
                if (location == ParameterLocation.Unspecified) at.Field("location").Add("A location is required.");
                else if (tool.Http is null && location != ParameterLocation.Body) at.Field("location").Add("Only HTTP tools have parameters outside of the body.");
                else if (location == ParameterLocation.Path && tool.Http?.BaseUrlPattern?.Contains($"{{{name}}}", StringComparison.Ordinal) == false)
                    at.Field("location").Add($"The tool's baseUrlPattern has no placeholder {{{Shorten(name)}}}.");
            }
        }
    }

    private static void CheckOverrides(
        SelectedTool selected, CallToolDefinition tool, BuiltInTool? builtIn, ToolRequirements? requirements, InputErrors errors)
    {
        var given = selected.ParameterOverrides;
        foreach (var (name, _) in given ?? [])
        {
            if (!tool.DynamicParameters.Any(parameter => parameter.Name == name) && builtIn?.Overridable.Contains(name) != true)
                errors.Field("parameterOverrides").Field(Shorten(name)).Add("The tool has no such parameter.");
        }
        foreach (var name in requirements?.RequiredParameterOverrides ?? [])
        {
            if (given?.ContainsKey(name) != true) errors.Field("parameterOverrides").Field(Shorten(name)).Add("The tool requires an override of this parameter.");
        }
    }

    private static bool IsHangUp(SelectedTool tool) => tool.ToolName == HangUp.Name || string.Equals(tool.ToolId, HangUp.Id, StringComparison.OrdinalIgnoreCase);

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";

    /// <param name="Overridable">Parameters that the model never sees.</param>
    private sealed record BuiltInTool(string Id, string Name, CallToolDefinition Definition, string[] Overridable);
}
