using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Calls.DataConnections;
using VoiceGrains.Grains.Calls.Stages;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls;

/// <summary>Registers what runs live calls on a media silo.</summary>
public static class ConversationServices
{
    /// <summary>Adds <see cref="ILiveCallHost"/> and <see cref="LiveCalls"/>. Needs the voice providers, the journal and the blob store.</summary>
    public static IServiceCollection AddConversations(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<ConversationOptions>().BindConfiguration("Conversation").ValidateDataAnnotations()
            .Validate(o => o.VoiceRetryDelay > TimeSpan.Zero && o.VoiceRetryLimit >= o.VoiceRetryDelay && o.VoiceTrialPatience > TimeSpan.Zero,
                "Conversation: VoiceRetryDelay and VoiceTrialPatience must be above zero, and VoiceRetryLimit at least VoiceRetryDelay.")
            .ValidateOnStart();
        services.AddSingleton(provider => new Pacer(new PacerOptions(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Pacer>>()));
        services.AddSingleton<CallVoices>();
        services.AddSingleton<IToolInvoker, ToolInvoker>();
        services.AddSingleton<CallPastReader>();
        services.AddOptions<DataConnectionOptions>().BindConfiguration("Calls:DataConnections").ValidateDataAnnotations()
            .Validate(o => o.LongestRetry >= o.FirstRetry, "Calls:DataConnections:LongestRetry must be at least FirstRetry.").ValidateOnStart();
        services.AddSingleton<IDataConnector, GuardedConnector>();
        services.AddSingleton<DataConnectionMetrics>();
        services.AddSingleton<DataConnections.DataConnections>();
        services.AddSingleton<IStageSource, StageFactory>();
        services.AddOptions<CallEndingOptions>().BindConfiguration("Calls:Endings").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<CallEndings>();
        services.AddHostedService(provider => provider.GetRequiredService<CallEndings>());
        services.AddSingleton<ILiveCallHost, LiveCallHost>();
        return services;
    }
}
