using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainRuntime;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Retention;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Throttles;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Usage;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains;

/// <summary>Everything that this project adds to a silo, one line per capability.</summary>
public static class GrainServices
{
    /// <summary>Adds the grains with their tables. Needs the grain runtime, an <c>NpgsqlDataSource</c> and the <see cref="SecretKey"/> that state is encrypted with.</summary>
    public static IServiceCollection AddVoiceGrains(this IServiceCollection services)
    {
        services.AddVoiceGrainClient();
        services.AddMigrations(typeof(GrainServices).Assembly, "grains", order: 1);
        services.AddConversations();
        services.AddHostedService(provider => provider.GetRequiredService<ConversationHost>());
        services.AddHostedService<CallRecovery>();
        services.AddWebhookDelivery();
        services.AddRetention();
        return services;
    }

    /// <summary>As <see cref="AddVoiceGrains"/>, for a process that calls the grains of a cluster and reads their tables but runs none of them.</summary>
    public static IServiceCollection AddVoiceGrainClient(this IServiceCollection services)
    {
        services.AddGrains(typeof(GrainServices).Assembly);
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<GrainRuntimeOptions>().PostConfigure<SecretKey>((options, key) => options.StateSerializer = SecretState.Protect(options.StateSerializer, new SecretBox(key)));
        services.AddSingleton<SealedJson>();
        services.TryAddSingleton<RoomTokens>();
        services.TryAddSingleton<ScopedTokens>();
        services.TryAddSingleton<DatabaseWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<DatabaseWatch>());
        services.AddAccounts();
        services.AddCallStore();
        services.TryAddSingleton<CallThrottleStore>();
        services.TryAddSingleton<UsageStore>();
        services.AddVoices();
        services.TryAddSingleton<UsageExport>();
        services.AddAgents();
        services.AddTools();
        services.AddWebhooks();
        return services;
    }

    private static void AddAccounts(this IServiceCollection services)
    {
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AccountOptions>().BindConfiguration("Accounts").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<AccountOptions>, PlanValidation>();
        services.TryAddSingleton<Plans>();
        services.TryAddSingleton<AccountStore>();
        services.TryAddSingleton<ApiKeyStore>();
        services.TryAddSingleton<AccountSetup>();
        services.TryAddSingleton<AccountAdministration>();
        services.TryAddSingleton<ProviderKeyStore>();
        services.TryAddSingleton<TelephonyConfigStore>();
    }

    private static void AddAgents(this IServiceCollection services)
    {
        services.AddSingleton<IStateStatements<AgentState>, AgentProjection>();
        services.AddSingleton<AgentStore>();
        services.AddSingleton<CallTemplateRules>();
    }
}
