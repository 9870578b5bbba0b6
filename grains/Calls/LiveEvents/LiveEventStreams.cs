using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Streams;

namespace VoiceGrains.Grains.Calls.LiveEvents;

/// <summary>The stream of each call's live events. It is not stored: who subscribes gets what happens from then on.</summary>
public sealed class LiveEventStreams(
    [FromKeyedServices(LiveEventStreams.ProviderName)] IStreamProvider streams, TimeProvider clock, ILogger<LiveEventStreams> logger)
{
    /// <summary>Key of the <see cref="IStreamProvider"/>. A host with a cluster registers its own under this name after the grains' one.</summary>
    public const string ProviderName = "live";

    private const string Namespace = "call-events";

    /// <summary>A subscriber that is too slow loses the oldest events and hears of it through <c>OnErrorAsync</c>.</summary>
    public IAsyncStream<LiveEvent> Of(string callId) => streams.GetStream<LiveEvent>(StreamId.Create(Namespace, callId));

    /// <summary>The producer's side of one call; only one conversation or grain publishes at a time.</summary>
    internal LiveEventPublisher PublisherOf(string callId) => new(callId, Of(callId), clock, logger);
}
