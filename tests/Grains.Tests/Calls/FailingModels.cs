using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>A catalog whose every model is out of order.</summary>
internal sealed class FailingModels : ILanguageModelCatalog, ILanguageModel
{
    /// <summary>Never answers, instead of failing at once.</summary>
    public bool Hangs { get; init; }

    public string DefaultAlias => "broken";
    public IReadOnlyList<string> Aliases => [DefaultAlias];
    public bool AcceptsAudio => false;

    public bool TryResolve(string? alias, [NotNullWhen(true)] out ResolvedModel? model)
    {
        model = new ResolvedModel(DefaultAlias, this, "broken-1", "test");
        return true;
    }

    public async IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new ModelDelta.Text("The user");
        if (Hangs) await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new ProviderException("test", ProviderFault.ServerError, "test answered with status 500");
    }
}
