using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Language.OpenAi;
using VoiceGrains.Providers.Language.Rules;
using VoiceGrains.Providers.OpenAi;
using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Recognition.OpenAi;
using VoiceGrains.Providers.Recognition.Pocketsphinx;
using VoiceGrains.Providers.Scripted;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Espeak;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Synthesis.Flite;
using VoiceGrains.Providers.Synthesis.Generic;
using VoiceGrains.Providers.Synthesis.OpenAi;
using VoiceGrains.Providers.Telemetry;

namespace VoiceGrains.Providers.Catalog;

/// <summary>
/// Makes each configured provider once, on first use, and measures it. A native engine that is not installed costs its voices and no more.
/// </summary>
internal sealed partial class ProviderRegistry(
    IOptions<ProviderSettings> settings, IOptions<ExternalVoiceOptions> external, ProviderHttpPool http, OutboundGuard guard, ILoggerFactory loggers,
    ProviderTelemetry telemetry, TimeProvider clock)
    : IAsyncDisposable
{
    private readonly ConcurrentBag<IAsyncDisposable> _engines = [];

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

    /// <summary>A voice that a tenant defined; not kept.</summary>
    public ISynthesizer Generic(GenericVoiceDefinition voice)
        => new MeasuredSynthesizer(new GenericSynthesizer(voice, http, guard, clock), GenericSynthesizer.ProviderName, telemetry);

    /// <summary>A tenant's voice at a provider that we know; not kept.</summary>
    public ISynthesizer External(ExternalVoiceDefinition voice, string apiKey)
        => new MeasuredSynthesizer(voice.CreateSynthesizer(new(external.Value, http, clock), apiKey), voice.Provider, telemetry);

    /// <summary>Loads the recognizer's models ahead of the first call, where it is pocketsphinx.</summary>
    public async Task WarmAsync(ProviderTarget target, CancellationToken cancellationToken)
    {
        if (Recognizer(target) is null) return;
        foreach (var engine in _engines.OfType<PocketsphinxRecognizer>())
            await engine.WarmAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines)
            await engine.DisposeAsync().ConfigureAwait(false);
    }

    private ILanguageModel? MakeLanguageModel(string provider) => Entry(provider) switch
    {
        { Type: ProviderType.Rules } entry => new RulesLanguageModel(entry.Rules!, clock),
        { Type: ProviderType.Scripted } entry => new ScriptedLanguageModel(entry.Scripted!),
        { Type: ProviderType.OpenAi } entry => new OpenAiLanguageModel(Endpoint(entry)),
        _ => null,
    };

    private IRecognizer? MakeRecognizer(ProviderTarget target) => Entry(target.Provider) switch
    {
        { Type: ProviderType.Scripted } entry => new ScriptedRecognizer(entry.Scripted!),
        { Type: ProviderType.OpenAi } entry => new OpenAiRecognizer(Endpoint(entry), target.Model, telemetry),
        { Type: ProviderType.Pocketsphinx } entry => MakePocketsphinx(entry),
        _ => null,
    };

    private ISynthesizer? MakeSynthesizer(ProviderTarget target) => Entry(target.Provider) switch
    {
        { Type: ProviderType.Scripted } entry => new ScriptedSynthesizer(entry.Scripted!),
        { Type: ProviderType.OpenAi } entry => new OpenAiSynthesizer(Endpoint(entry), target.Model),
        { Type: ProviderType.Flite } entry => MakeFlite(entry),
        { Type: ProviderType.Espeak } entry => MakeEspeak(entry),
        _ => null,
    };

    private PocketsphinxRecognizer? MakePocketsphinx(ProviderEntry entry)
    {
        var recognizer = new PocketsphinxRecognizer(entry.Pocketsphinx!, loggers, clock);
        return Keep(entry, recognizer, recognizer.IsAvailable(out var why), why);
    }

    private FliteSynthesizer? MakeFlite(ProviderEntry entry)
    {
        var synthesizer = new FliteSynthesizer(entry.Flite!, loggers);
        return Keep(entry, synthesizer, synthesizer.IsAvailable(out var why), why);
    }

    private EspeakSynthesizer? MakeEspeak(ProviderEntry entry)
    {
        var synthesizer = new EspeakSynthesizer(entry.Espeak!, loggers);
        return Keep(entry, synthesizer, synthesizer.IsAvailable(out var why), why);
    }

    /// <summary>Owns a native engine until the end; null when it is not installed.</summary>
    private T? Keep<T>(ProviderEntry entry, T engine, bool isAvailable, string why) where T : class, IAsyncDisposable
    {
        _engines.Add(engine);
        if (isAvailable) return engine;
        LogUnavailable(entry.Name, why);
        return null;
    }

    private OpenAiEndpoint Endpoint(ProviderEntry entry) => new(entry.Name, entry.OpenAi!, http.OperatorClient, clock, Random.Shared);

    private void LogUnavailable(string provider, string why) => LogUnavailable(loggers.CreateLogger<ProviderRegistry>(), provider, why);

    [LoggerMessage(2001, LogLevel.Warning, "Provider {Provider} is not available: {Why}")]
    private static partial void LogUnavailable(ILogger logger, string provider, string why);

    private ProviderEntry? Entry(string provider) => settings.Value.Providers.GetValueOrDefault(provider);
}
