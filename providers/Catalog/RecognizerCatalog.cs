using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Providers.Catalog;

/// <inheritdoc cref="IRecognizerCatalog"/>
internal sealed class RecognizerCatalog(IOptions<ProviderSettings> settings, ProviderRegistry registry) : IRecognizerCatalog
{
    private readonly Dictionary<string, string> _languages = new(settings.Value.Recognizers.Languages, StringComparer.OrdinalIgnoreCase);

    public bool TryResolve(string? languageHint, [NotNullWhen(true)] out ResolvedRecognizer? recognizer)
    {
        var target = ProviderTarget.Parse(FindTarget(languageHint));
        recognizer = registry.Recognizer(target) is { } found ? new(found, target.Provider) : null;
        return recognizer is not null;
    }

    /// <summary>The code itself, then ever shorter prefixes of it (RFC 4647 §3.4 lookup), then the default.</summary>
    private string FindTarget(string? languageHint)
    {
        for (var code = languageHint ?? ""; code.Length > 0; code = code[..Math.Max(0, code.LastIndexOf('-'))])
        {
            if (_languages.TryGetValue(code, out var target)) return target;
        }
        return settings.Value.Recognizers.Default;
    }
}
