using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>Calls of browsers; section <c>WebRtc</c>.</summary>
public sealed class WebRtcOptions
{
    /// <summary>The port that is taken where none is configured and this one is free.</summary>
    public const int UsualPort = 7882;

    /// <summary>Whether this silo carries them. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>UDP port of all media, and TCP for networks that let no UDP through. Default 7882, or a free one where that is taken; 0 takes a free one.</summary>
    [Range(0, 65_535)] public int? Port { get; set; }

    /// <summary>Addresses by which clients reach this silo, beside those of its network interfaces: behind NAT, in containers. Default: none.</summary>
    public string[] PublicAddresses { get; set; } = [];

    /// <summary>Names of the network interfaces whose addresses clients are told. Default: all.</summary>
    public string[] Interfaces { get; set; } = [];

    /// <summary>Whether lost packets of audio are asked for and sent again, with clients that offer it (RFC 4585 NACK). Default false: Opus conceals most losses sooner.</summary>
    public bool Nack { get; set; }

    /// <summary>How long a client that was let into the room may take until its media flow, 1 s to 10 min. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the conversation goes on while its client has no connection, or its page is loaded again, 1 s to 10 min. Default 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan ReconnectGrace { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a call waits for a client that has left its room and has no join socket, 0 s to 1 min: its page may be loaded again. Then it has hung up. Default 5 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")] public TimeSpan LeaveGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a room's access token holds, 1 min to 7 days; half of it later clients get a new one. Default 1 h.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")] public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many may listen to a call. Default 8.</summary>
    [Range(0, 100)] public int MaxListeners { get; set; } = 8;
}
