using Microsoft.Extensions.Diagnostics.HealthChecks;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Silo.Health;

/// <summary>Whether a call that names nothing finds a model, a voice and a recognizer. Says what is missing; asks no remote service.</summary>
internal sealed class SpeechHealthCheck(ILanguageModelCatalog models, IVoiceCatalog voices, IRecognizerCatalog recognizers) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        List<string> missing = [];
        if (!models.TryResolve(null, out _))
            missing.Add("the default language model");
        if (!voices.TryResolve(null, out _))
            missing.Add("the default voice (is its engine installed?)");
        if (!recognizers.TryResolve(null, out _))
            missing.Add("the default recognizer (is its engine installed?)");
        return Task.FromResult(missing.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"Missing: {string.Join(", ", missing)}."));
    }
}
