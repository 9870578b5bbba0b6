using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace VoiceGrains.Grains.Webhooks;

internal static class WebhookServices
{
    /// <summary>What stores webhooks and what calls owe to them.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services)
    {
        services.AddOptions<WebhookOptions>().BindConfiguration("Webhooks").ValidateDataAnnotations()
            .Validate(o => o.Lease > o.Timeout, "Webhooks:Lease must be longer than Webhooks:Timeout.").ValidateOnStart();
        services.TryAddSingleton<WebhookOutbox>();
        services.TryAddSingleton<DeliverySignal>();
        services.TryAddSingleton<WebhookStore>();
        return services;
    }

    /// <summary>What delivers. Needs the providers' HTTP clients.</summary>
    public static IServiceCollection AddWebhookDelivery(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton(Random.Shared);
        services.TryAddSingleton<DeliveryQueue>();
        services.TryAddSingleton<DeliverySender>();
        services.TryAddSingleton<DeliveryMetrics>();
        services.AddHostedService<DeliveryWorker>();
        return services;
    }
}
