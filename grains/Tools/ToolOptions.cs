using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Tools;

/// <summary>Bounds of HTTP tools, configuration section <c>Tools</c>.</summary>
public sealed class ToolOptions
{
    /// <summary>Bytes of a response; a longer one is an error. Default 64 KiB: more would crowd out the conversation.</summary>
    [Range(1024, 16 * 1024 * 1024)] public int MaxResponseBytes { get; set; } = 64 * 1024;

    /// <summary>Redirects that a GET or HEAD may follow; 0 follows none. Default 3.</summary>
    [Range(0, 10)] public int MaxRedirects { get; set; } = 3;

    /// <summary>Connections to one host at a time, of all calls on this server; further requests wait. Default 64.</summary>
    [Range(1, 10_000)] public int MaxConnectionsPerHost { get; set; } = 64;

    /// <summary>For opening a connection, within the tool's own timeout. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an idle connection is kept for the next request. Default 90 s.</summary>
    public TimeSpan ConnectionIdleTimeout { get; set; } = TimeSpan.FromSeconds(90);
}
