using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>The gRPC API; section <c>Grpc</c>.</summary>
public sealed class GrpcOptions
{
    /// <summary>
    /// TCP port for plain-text HTTP/2, at the address of the REST API; 0 takes a free one. Default none: without TLS one port cannot speak both
    /// HTTP/1.1 and HTTP/2, so gRPC needs its own. A port with TLS serves both.
    /// </summary>
    [Range(0, 65_535)] public int? Port { get; set; }

    /// <summary>Largest message that is accepted, uncompressed, bytes. Default 4 MiB, as elsewhere in gRPC.</summary>
    [Range(1024, 1 << 28)] public int MaxMessageBytes { get; set; } = 4 << 20;

    /// <summary>Answers from this size are compressed for clients that take gzip, bytes. Default 1 KiB.</summary>
    [Range(0, int.MaxValue)] public int CompressFromBytes { get; set; } = 1 << 10;

    /// <summary>Live events that wait for one watcher, beside what its stream and its connection hold. Default 64.</summary>
    [Range(1, 100_000)] public int WatchQueueLength { get; set; } = 64;

    /// <summary>How long a watched call may be silent before it is looked up whether it still goes on. Default 15 s.</summary>
    public TimeSpan WatchCheckPeriod { get; set; } = TimeSpan.FromSeconds(15);
}
