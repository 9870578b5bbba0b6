using System.Text.RegularExpressions;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>Who the prompt says the agent is ("You are Anna, a friendly support agent for Acme Inc.").</summary>
internal sealed partial record Persona(string? Name, string? Company)
{
    private const int CompanyWithin = 300;

    public static Persona Read(string prompt)
    {
        var named = Named().Match(prompt);
        var name = named.Success ? named.Groups["name"].Value : null;
        var start = named.Success ? named.Index + named.Length : prompt.IndexOf("You are", StringComparison.OrdinalIgnoreCase);
        if (start < 0) return new(name, null);
        var end = prompt.IndexOf('\n', start);
        var about = prompt.Substring(start, Math.Min(CompanyWithin, (end < 0 ? prompt.Length : end) - start));
        var company = CompanyNamed().Match(about);
        return new(name, company.Success ? company.Groups["company"].Value.Trim().TrimEnd('.', ',') : null);
    }

    /// <summary>A first sentence for the call.</summary>
    public string Greeting => (Name, Company) switch
    {
        ({ } name, { } company) => $"Hello! This is {name} from {company}. How can I help you?",
        ({ } name, null) => $"Hello! This is {name}. How can I help you?",
        (null, { } company) => $"Hello, and welcome to {company}. How can I help you?",
        _ => "Hello! How can I help you?",
    };

    [GeneratedRegex(@"\b(?:[Yy]ou are|[Yy]ou're|[Yy]our name is)(?: called| named)? (?<name>\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+){0,2})(?=\s*(?:[,.;!\n(]|$|and\b|from\b|at\b|the\b|of\b|with\b))", RegexOptions.CultureInvariant)]
    private static partial Regex Named();

    [GeneratedRegex("""\b(?:called ["“](?<company>[^"”]{1,60})["”]|(?:for|at|from|of|with) (?<company>\p{Lu}[\w&'’-]*(?: (?:&|\p{Lu}[\w&'’-]*))*\.?))""", RegexOptions.CultureInvariant)]
    private static partial Regex CompanyNamed();
}
