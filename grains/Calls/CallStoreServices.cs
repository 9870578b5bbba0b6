using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using VoiceGrains.GrainRuntime;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains.Calls.Limits;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains.Calls;

public static class CallStoreServices
{
    /// <summary>
    /// Adds what calls are kept with: <see cref="ICallJournal"/>, <see cref="CallStore"/>, <see cref="LiveCalls"/>, <see cref="CallFactory"/> and the grain's
    /// own parts. Needs the blob store and the providers. Call after the grain runtime and before anything that runs conversations: services stop in
    /// reverse order, so that the journal takes the last words of conversations that end with the silo.
    /// </summary>
    public static IServiceCollection AddCallStore(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddOptions<CallJournalOptions>().BindConfiguration("Calls:Journal").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<CallSummaryOptions>().BindConfiguration("Calls:Summary").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<CallAdmission>();
        services.TryAddSingleton<LiveCalls>();
        services.TryAddSingleton<CallStore>();
        services.TryAddSingleton<LiveCallCounts>();
        services.TryAddSingleton<CallFactory>();
        services.TryAddSingleton<CallJournal>();
        services.TryAddSingleton<ICallJournal>(provider => provider.GetRequiredService<CallJournal>());
        services.TryAddSingleton<ICallEventWriter>(provider => provider.GetRequiredService<CallJournal>());
        services.AddHostedService(provider => provider.GetRequiredService<CallJournal>());
        services.TryAddSingleton<CallSummarizer>();
        services.TryAddSingleton<CallRemains>();
        services.TryAddSingleton<RecordingRemovals>();
        services.TryAddSingleton<CallGrainMetrics>();
        services.AddInProcessStreams(LiveEventStreams.ProviderName);
        services.TryAddSingleton<LiveEventStreams>();
        services.AddOptions<MediaOptions>().BindConfiguration("Media").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<CallPlace>();
        services.AddOptions<CallResumeOptions>().BindConfiguration("Calls:Resume").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<ConversationHost>();
        services.TryAddSingleton<CallServices>();
        services.TryAddSingleton<CallLimitCheck>();
        services.TryAddSingleton<CreationTurns>();
        services.AddOptions<CallCapacityOptions>().BindConfiguration("Calls:Capacity").ValidateDataAnnotations()
            .Validate(o => o.MaxCalls == 0 || o.PriorityReserve <= o.MaxCalls, "Calls:Capacity:PriorityReserve must be at most MaxCalls.").ValidateOnStart();
        services.TryAddSingleton<CallCapacity>();
        services.AddSingleton<IStateProjection<CallState>, CallLimitGuard>();        // first: a call that is refused writes nothing else
        services.AddSingleton<IStateProjection<CallState>, CallProjection>();
        return services;
    }
}
