using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Calls;

/// <summary>How a call authenticates to an HTTP tool.</summary>
/// <param name="Headers">Values by header.</param>
/// <param name="Query">Values by query parameter.</param>
internal sealed record CallToolSecurity(IReadOnlyDictionary<string, string> Headers, IReadOnlyDictionary<string, string> Query)
{
    private static readonly CallToolSecurity None = new(new Dictionary<string, string>(), new Dictionary<string, string>());

    /// <summary>Takes the first option whose requirements the tokens meet. An option without requirements, or no option at all, needs none.</summary>
    public static CallToolSecurity Choose(SecurityOptions? security, IReadOnlyDictionary<string, string>? tokens, InputErrors errors)
    {
        tokens ??= new Dictionary<string, string>();
        var options = security?.Options ?? [];
        foreach (var name in tokens.Keys)
        {
            if (!options.Any(option => option.Requirements?.ContainsKey(name) == true))
                errors.Field("authTokens").Field(name.Length <= 64 ? name : name[..64] + "…").Add("The tool has no such security requirement.");
        }
        if (options.Count == 0) return None;
        var met = options.FirstOrDefault(option => IsMet(option, tokens) && option.Requirements is { Count: > 0 }) ?? options.FirstOrDefault(option => IsMet(option, tokens));
        if (met is not null) return Apply(met, tokens);
        errors.Field("authTokens").Add("The tokens meet none of the tool's security options.");
        return None;
    }

    /// <summary>Call tokens are not issued yet, so an option that asks for one cannot be met.</summary>
    private static bool IsMet(SecurityRequirements option, IReadOnlyDictionary<string, string> tokens)
        => option.UltravoxCallTokenRequirement is null && (option.Requirements?.Keys.All(tokens.ContainsKey) ?? true);

    private static CallToolSecurity Apply(SecurityRequirements option, IReadOnlyDictionary<string, string> tokens)
    {
        var (headers, query) = (new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase), new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var (name, requirement) in option.Requirements ?? new Dictionary<string, SecurityRequirement>())
        {
            if (requirement.QueryApiKey is { } inQuery) query[inQuery.Name!] = tokens[name];
            else if (requirement.HeaderApiKey is { } inHeader) headers[inHeader.Name!] = tokens[name];
            else headers["Authorization"] = $"{requirement.HttpAuth!.Scheme} {tokens[name]}";
        }
        return new CallToolSecurity(headers, query);
    }
}
