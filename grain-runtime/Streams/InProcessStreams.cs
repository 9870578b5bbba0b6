using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>Streams within this process. What has no subscriber is dropped; nothing is stored.</summary>
internal sealed class InProcessStreams(string name, IOptions<GrainRuntimeOptions> options, ILogger<InProcessStreams> logger)
    : StreamCore(name, options.Value.StreamQueueLength, logger)
{
    public override void Publish<T>(StreamAddress address, StreamNoticeKind kind, T? item, Exception? error)
        where T : default
        => FindHub<T>(address)?.Publish(kind, kind == StreamNoticeKind.Next ? new SharedItem<T>(item!) : null, error);
}
