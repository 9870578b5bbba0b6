using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls;

/// <summary>Where clients bring their media; section <c>Media</c>.</summary>
public sealed class MediaOptions
{
    /// <summary>Base of join URLs, such as <c>wss://media.example.com</c>; http and https mean ws and wss. Each silo of a cluster has its own. Default: media comes through the gateway.</summary>
    [RegularExpression("^(ws|wss|http|https)://.*[^/]$", ErrorMessage = "Media:PublicUrl must be an absolute ws, wss, http or https URL without a slash at its end.")]
    public string? PublicUrl { get; set; }
}
