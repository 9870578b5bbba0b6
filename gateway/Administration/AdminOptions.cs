using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Administration;

/// <summary>Who may administer accounts; section <c>Admin</c>.</summary>
public sealed class AdminOptions
{
    /// <summary>
    /// What an administrator proves himself with, at least 32 characters; the same for all gateways of a cluster. Default: what the data folder's
    /// <c>admin-token</c> holds, which a server of its own makes at its first start. Without one there is no administration.
    /// </summary>
    [MinLength(32)] public string? Token { get; set; }
}
