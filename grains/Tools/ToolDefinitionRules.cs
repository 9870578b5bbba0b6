using System.Text.RegularExpressions;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>Rules of a tool's definition that span fields; the reader of requests has checked each field by then.</summary>
public static partial class ToolDefinitionRules
{
    public static void Check(BaseToolDefinition definition, InputErrors errors)
    {
        CheckParameters(definition, errors);
        if (definition.Http is { } http) CheckPath(definition, http, errors.Field("http").Field("baseUrlPattern"));
        else if (definition.Requirements?.HttpSecurityOptions is not null)
            errors.Field("requirements").Field("httpSecurityOptions").Add("Only HTTP tools are authenticated.");
        CheckRequirements(definition, errors.Field("requirements"));
    }

    private static void CheckParameters(BaseToolDefinition definition, InputErrors errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var isHttp = definition.Http is not null;
        for (var i = 0; i < (definition.DynamicParameters?.Count ?? 0); i++)
        {
            var parameter = definition.DynamicParameters![i];
            var at = errors.Field("dynamicParameters").Item(i);
            CheckParameter(parameter.Name!, parameter.Location!.Value, isHttp, names, at);
            if (ContextSchema.Problem(parameter.Schema) is { } problem) at.Field("schema").Add(problem);
        }
        for (var i = 0; i < (definition.StaticParameters?.Count ?? 0); i++)
            CheckParameter(definition.StaticParameters![i].Name!, definition.StaticParameters[i].Location!.Value, isHttp, names, errors.Field("staticParameters").Item(i));
        for (var i = 0; i < (definition.AutomaticParameters?.Count ?? 0); i++)
        {
            var parameter = definition.AutomaticParameters![i];
            var at = errors.Field("automaticParameters").Item(i);
            CheckParameter(parameter.Name!, parameter.Location!.Value, isHttp, names, at);
            if (parameter.KnownValue == KnownParameter.Unspecified) at.Field("knownValue").Add("This field is required.");
        }
    }

    private static void CheckParameter(string name, ParameterLocation location, bool isHttp, HashSet<string> names, InputErrors errors)
    {
        if (name.Length is 0 or > 256) errors.Field("name").Add("Must have 1 to 256 characters.");
        else if (!names.Add(name)) errors.Field("name").Add("Another parameter has this name too.");
        if (location == ParameterLocation.Unspecified) errors.Field("location").Add("This field is required.");
        else if (!isHttp && location != ParameterLocation.Body) errors.Field("location").Add("Only body parameters are allowed here.");
    }

    /// <summary>Each placeholder of the path has a parameter, which may go elsewhere as well, and each path parameter a placeholder.</summary>
    private static void CheckPath(BaseToolDefinition definition, BaseHttpToolDetails http, InputErrors errors)
    {
        var placeholders = Placeholder().Matches(http.BaseUrlPattern ?? "").Select(m => m.Groups[1].Value).ToHashSet();
        var parameters = Parameters(definition).ToList();
        foreach (var name in placeholders.Except(parameters.Select(p => p.Name))) errors.Add($"Placeholder '{{{name}}}' has no parameter.");
        foreach (var name in parameters.Where(p => p.Location == ParameterLocation.Path).Select(p => p.Name).Except(placeholders)) errors.Add($"Path parameter '{name}' has no placeholder '{{{name}}}'.");
    }

    private static IEnumerable<(string Name, ParameterLocation? Location)> Parameters(BaseToolDefinition definition)
        => (definition.DynamicParameters ?? []).Select(p => (p.Name!, p.Location))
            .Concat((definition.StaticParameters ?? []).Select(p => (p.Name!, p.Location)))
            .Concat((definition.AutomaticParameters ?? []).Select(p => (p.Name!, p.Location)));

    private static void CheckRequirements(BaseToolDefinition definition, InputErrors errors)
    {
        var dynamic = (definition.DynamicParameters ?? []).Select(p => p.Name).ToHashSet();
        var required = definition.Requirements?.RequiredParameterOverrides ?? [];
        for (var i = 0; i < required.Count; i++)
            if (!dynamic.Contains(required[i])) errors.Field("requiredParameterOverrides").Item(i).Add("Is no dynamic parameter.");
    }

    [GeneratedRegex(@"(?<!\{)\{([^{}]+)\}(?!\})", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
