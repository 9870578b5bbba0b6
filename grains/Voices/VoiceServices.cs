using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Voices.Cloning;

namespace VoiceGrains.Grains.Voices;

internal static class VoiceServices
{
    /// <summary>Adds accounts' own voices. Needs the providers.</summary>
    public static IServiceCollection AddVoices(this IServiceCollection services)
    {
        services.AddOptions<OwnVoiceOptions>().BindConfiguration("OwnVoices").ValidateDataAnnotations()
            .Validate(options => options.MinSampleLength >= TimeSpan.Zero && options.MaxSampleLength > options.MinSampleLength, "OwnVoices:MaxSampleLength must be above OwnVoices:MinSampleLength.")
            .Validate(options => options.CloneTimeout > TimeSpan.Zero, "OwnVoices:CloneTimeout must be positive.").ValidateOnStart();
        services.AddSingleton<VoiceStore>();
        services.AddSingleton<AccountVoices>();
        services.AddSingleton<CloneMetrics>();
        services.AddSingleton<CloneClient>();
        services.AddSingleton(provider => new VoiceCloner(
            provider.GetRequiredService<VoiceStore>(), provider.GetRequiredService<ProviderKeyStore>(), provider.GetRequiredService<IBlobStore>(),
            provider.GetRequiredService<CloneClient>(), provider.GetRequiredService<CloneMetrics>(), provider.GetRequiredService<IOptions<OwnVoiceOptions>>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<VoiceCloner>>()));
        return services;
    }
}
