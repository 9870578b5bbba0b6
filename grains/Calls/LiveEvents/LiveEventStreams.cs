using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Streams;

namespace VoiceGrains.Grains.Calls.LiveEvents;

/// <summary>The stream of each call's live events. It is not stored: who subscribes gets what happens from then on.</summary>
public sealed class LiveEventStreams(
    [FromKeyedServices(LiveEventStreams.ProviderName)] IStreamProvider streams, TimeProvider clock, ILogger<LiveEventStreams> logger)
{
    /// <summary>
    /// Key of the <see cref="IStreamProvider"/>. The grains' services register one within the process; a host of a cluster registers one of all its
    /// processes after it.
    /// </summary>
    public const string ProviderName = "live";

    private const string Namespace = "call-events";

    /// <summary>Events that a subscriber misses, it hears of through <c>OnErrorAsync</c>. After the call's end the stream completes.</summary>
    public IAsyncStream<LiveEvent> Of(string callId) => streams.GetStream<LiveEvent>(StreamId.Create(Namespace, callId));

    /// <summary>The producer's side of one call; only one conversation or grain publishes at a time.</summary>
    internal LiveEventPublisher PublisherOf(string callId) => new(callId, Of(callId), clock, logger);
}
