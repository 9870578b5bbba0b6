using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Calls;

/// <summary>Where clients bring their media; section <c>Media</c>.</summary>
public sealed class MediaOptions
{
    /// <summary>Base of join URLs, such as <c>wss://media.example.com</c>; http and https mean ws and wss. Default: the gateway's public address, else as the request came.</summary>
    [RegularExpression("^(ws|wss|http|https)://.*[^/]$", ErrorMessage = "Media:PublicUrl must be an absolute ws, wss, http or https URL without a slash at its end.")]
    public string? PublicUrl { get; set; }
}
