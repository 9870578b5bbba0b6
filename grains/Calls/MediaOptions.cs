using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls;

/// <summary>Where clients bring their media; section <c>Media</c>.</summary>
public sealed class MediaOptions
{
    /// <summary>Base of join URLs, such as <c>wss://media.example.com</c>; http and https mean ws and wss. Each silo of a cluster has its own. Default: media comes through the gateway.</summary>
    [RegularExpression("^(ws|wss|http|https)://.*[^/]$", ErrorMessage = "Media:PublicUrl must be an absolute ws, wss, http or https URL without a slash at its end.")]
    public string? PublicUrl { get; set; }

    /// <summary>How often a client's WebSocket is asked whether it is still there (RFC 6455 section 5.5.2). Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A client that does not answer for this long is lost. Default 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(20);
}
