using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Providers.Catalog;

/// <inheritdoc cref="ILanguageModelCatalog"/>
internal sealed class LanguageModelCatalog : ILanguageModelCatalog
{
    private readonly Dictionary<string, ResolvedModel> _models = new(StringComparer.OrdinalIgnoreCase);

    public LanguageModelCatalog(IOptions<ProviderSettings> settings, ProviderRegistry registry)
    {
        var models = settings.Value.Models;
        foreach (var alias in DocumentedModels.Aliases)
            Add(alias, models.Target, registry);
        Add("rules", "rules", registry);
        foreach (var (alias, target) in models.Aliases)
            Add(alias, target, registry);
        DefaultAlias = _models.TryGetValue(models.Default, out var model) ? model.Alias : models.Default;
        Aliases = [DefaultAlias, .. _models.Values.Select(m => m.Alias).Where(a => a != DefaultAlias)];
    }

    public string DefaultAlias { get; }

    public IReadOnlyList<string> Aliases { get; }

    public bool TryResolve(string? alias, [NotNullWhen(true)] out ResolvedModel? model)
        => _models.TryGetValue(string.IsNullOrEmpty(alias) ? DefaultAlias : alias, out model);

    private void Add(string alias, string target, ProviderRegistry registry)
    {
        var (provider, name) = ProviderTarget.Parse(target);
        if (registry.LanguageModel(provider) is { } model) _models[alias] = new(alias, model, name.Length > 0 ? name : provider, provider);
    }
}
