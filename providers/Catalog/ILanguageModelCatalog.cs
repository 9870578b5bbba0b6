using System.Diagnostics.CodeAnalysis;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Providers.Catalog;

/// <summary>The models that calls may name.</summary>
public interface ILanguageModelCatalog
{
    /// <summary>What a call without a model gets.</summary>
    string DefaultAlias { get; }

    /// <summary>Every alias, the default first.</summary>
    IReadOnlyList<string> Aliases { get; }

    /// <summary>Finds a model. Null or empty is the default; aliases are compared without case.</summary>
    bool TryResolve(string? alias, [NotNullWhen(true)] out ResolvedModel? model);
}

/// <param name="Alias">The alias as listed.</param>
/// <param name="Model">Serves it; measured.</param>
/// <param name="ModelName">For <see cref="ModelRequest.Model"/>.</param>
/// <param name="Provider">The provider's configured name.</param>
public sealed record ResolvedModel(string Alias, ILanguageModel Model, string ModelName, string Provider);
