using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Telemetry;

namespace VoiceGrains.Providers;

/// <summary>Registers models, recognizers and voices.</summary>
public static class VoiceProviderServices
{
    /// <summary>
    /// Adds <see cref="ILanguageModelCatalog"/>, <see cref="IRecognizerCatalog"/> and <see cref="IVoiceCatalog"/> from the sections
    /// <c>Providers</c>, <c>Models</c>, <c>Recognizers</c>, <c>Voices</c> and <c>ExternalVoices</c>, and the <see cref="OutboundGuard"/> from <c>Outbound</c>.
    /// Mistakes in them are all reported at start.
    /// </summary>
    public static IServiceCollection AddVoiceProviders(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddLogging();
        services.AddOptions<ProviderSettings>().Configure(settings => ProviderSettingsReader.Read(configuration, settings)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ProviderSettings>, ProviderSettingsValidator>());
        services.AddOptions<OutboundOptions>().Bind(configuration.GetSection("Outbound"))
            .Validate(o => o.AllowedNetworks.TrueForAll(n => IPNetwork.TryParse(n, out _)), "Outbound:AllowedNetworks must be networks in CIDR notation, such as 10.20.0.0/16.")
            .ValidateOnStart();
        services.AddOptions<ExternalVoiceOptions>().Bind(configuration.GetSection("ExternalVoices"), o => o.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ExternalVoiceOptions>, ExternalVoiceOptionsValidator>());
        services.TryAddSingleton<OutboundGuard>();
        services.TryAddSingleton<ProviderHttpPool>();
        services.TryAddSingleton<ProviderTelemetry>();
        services.TryAddSingleton<ProviderRegistry>();
        services.TryAddSingleton<ILanguageModelCatalog, LanguageModelCatalog>();
        services.TryAddSingleton<IRecognizerCatalog, RecognizerCatalog>();
        services.TryAddSingleton<IVoiceCatalog, VoiceCatalog>();
        services.AddHostedService<ProviderWarmUp>();
        return services;
    }
}
