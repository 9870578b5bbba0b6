using Microsoft.Extensions.DependencyInjection;

namespace VoiceGrains.Grains.Retention;

internal static class RetentionServices
{
    /// <summary>What deletes calls whose time is over. For silos.</summary>
    public static IServiceCollection AddRetention(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton<ExpiredCalls>();
        services.AddSingleton<RetentionMetrics>();
        services.AddSingleton<RetentionWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<RetentionWorker>());
        return services;
    }
}
