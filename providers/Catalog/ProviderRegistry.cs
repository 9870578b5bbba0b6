using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Language.Rules;
using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Scripted;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Telemetry;

namespace VoiceGrains.Providers.Catalog;

/// <summary>
/// Makes each configured provider once, on first use, and measures it. Native engines are found as keyed services
/// (<see cref="ISynthesizer"/> or <see cref="IRecognizer"/> under their <see cref="ProviderType"/>), so that a missing one costs its voices and no more.
/// </summary>
internal sealed class ProviderRegistry(IOptions<ProviderSettings> settings, IServiceProvider services, ProviderTelemetry telemetry, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Lazy<ILanguageModel?>> _models = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<ProviderTarget, Lazy<IRecognizer?>> _recognizers = new();
    private readonly ConcurrentDictionary<ProviderTarget, Lazy<ISynthesizer?>> _synthesizers = new();

    /// <summary>The provider's language model; null where it has none.</summary>
    public ILanguageModel? LanguageModel(string provider)
        => _models.GetOrAdd(provider, name => new(() => MakeLanguageModel(name) is { } model ? new MeasuredLanguageModel(model, name, telemetry) : null)).Value;

    /// <summary>The provider's recognizer; null where it has none or it is not installed.</summary>
    public IRecognizer? Recognizer(ProviderTarget target)
        => _recognizers.GetOrAdd(target, t => new(() => MakeRecognizer(t) is { } recognizer ? new MeasuredRecognizer(recognizer, t.Provider, telemetry) : null)).Value;

    /// <summary>The provider's synthesizer; null where it has none or it is not installed.</summary>
    public ISynthesizer? Synthesizer(ProviderTarget target)
        => _synthesizers.GetOrAdd(target, t => new(() => MakeSynthesizer(t) is { } synthesizer ? new MeasuredSynthesizer(synthesizer, t.Provider, telemetry) : null)).Value;

    private ILanguageModel? MakeLanguageModel(string provider) => Entry(provider) switch
    {
        { Type: ProviderType.Rules } entry => new RulesLanguageModel(entry.Rules!, clock),
        { Type: ProviderType.Scripted } entry => new ScriptedLanguageModel(entry.Scripted!),
        _ => null,
    };

    private IRecognizer? MakeRecognizer(ProviderTarget target) => Entry(target.Provider) switch
    {
        { Type: ProviderType.Scripted } entry => new ScriptedRecognizer(entry.Scripted!),
        { Type: ProviderType.Pocketsphinx } entry => services.GetKeyedService<IRecognizer>(entry.Type),
        _ => null,
    };

    private ISynthesizer? MakeSynthesizer(ProviderTarget target) => Entry(target.Provider) switch
    {
        { Type: ProviderType.Scripted } entry => new ScriptedSynthesizer(entry.Scripted!),
        { Type: ProviderType.Flite or ProviderType.Espeak } entry => services.GetKeyedService<ISynthesizer>(entry.Type),
        _ => null,
    };

    private ProviderEntry? Entry(string provider) => settings.Value.Providers.GetValueOrDefault(provider);
}
