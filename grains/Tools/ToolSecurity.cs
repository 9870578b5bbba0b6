using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>What authenticates a call's requests to an HTTP tool. Values are secrets.</summary>
internal sealed record ToolKeys(IReadOnlyDictionary<string, string> Headers, IReadOnlyDictionary<string, string> QueryParams, IReadOnlyList<string> CallTokenScopes)
{
    public static ToolKeys None { get; } = new(new Dictionary<string, string>(), new Dictionary<string, string>(), []);
}

/// <summary>Chooses how a tool is authenticated: the first option that the given tokens satisfy, an empty option only where no other can be.</summary>
internal static class ToolSecurity
{
    public static ToolKeys Satisfy(SecurityOptions? security, IReadOnlyDictionary<string, string>? tokens, InputErrors errors)
    {
        if (security?.Options is not { Count: > 0 } options) return ToolKeys.None;
        var given = tokens ?? new Dictionary<string, string>();
        var chosen = options.Where(option => !IsEmpty(option)).Concat(options.Where(IsEmpty)).FirstOrDefault(option => Names(option).All(given.ContainsKey));
        if (chosen is not null) return Keys(chosen, given);
        var ways = options.Select(option => string.Join(" and ", Names(option).Select(name => $"'{name}'")));
        errors.Add($"The tool needs {string.Join(", or ", ways)}.");
        return ToolKeys.None;
    }

    private static bool IsEmpty(SecurityRequirements option) => !Names(option).Any() && option.UltravoxCallTokenRequirement is null;

    private static IEnumerable<string> Names(SecurityRequirements option) => option.Requirements?.Keys ?? [];

    private static ToolKeys Keys(SecurityRequirements option, IReadOnlyDictionary<string, string> tokens)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var query = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, requirement) in option.Requirements ?? new Dictionary<string, SecurityRequirement>())
        {
            if (requirement.HeaderApiKey is { Name: { } header }) headers[header] = tokens[name];
            else if (requirement.QueryApiKey is { Name: { } parameter }) query[parameter] = tokens[name];
            else if (requirement.HttpAuth is { Scheme: { } scheme }) headers["Authorization"] = $"{scheme} {tokens[name]}";
        }
        return new(headers, query, option.UltravoxCallTokenRequirement?.Scopes ?? []);
    }
}
