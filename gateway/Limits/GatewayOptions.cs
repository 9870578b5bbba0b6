using System.ComponentModel.DataAnnotations;
using System.Net;

namespace VoiceGrains.Gateway.Limits;

/// <summary>Limits of the REST edge; section <c>Gateway</c>.</summary>
public sealed class GatewayOptions
{
    /// <summary>Largest JSON body, bytes. Default 1 MiB.</summary>
    [Range(1024, 1 << 26)] public int MaxBodyBytes { get; set; } = 1 << 20;

    /// <summary>API requests per second of one account whose plan says nothing else. Default 500, as the hosted service allows; 0 is no limit.</summary>
    [Range(0, int.MaxValue)] public int RequestsPerSecondPerAccount { get; set; } = 500;

    /// <summary>API requests per second of one API key where the plan says nothing else. Default 200, as the hosted service allows; 0 is no limit.</summary>
    [Range(0, int.MaxValue)] public int RequestsPerSecondPerKey { get; set; } = 200;

    /// <summary>Requests per second from one address (of IPv6 one /64) whose key is missing or wrong. Default 50; 0 is no limit.</summary>
    [Range(0, int.MaxValue)] public int AnonymousRequestsPerSecond { get; set; } = 50;

    /// <summary>
    /// Networks (CIDR) of the proxies before this server: their <c>X-Forwarded-For</c> says who the client is. Default none. Without them every client
    /// behind a proxy has the proxy's address, and shares its <see cref="AnonymousRequestsPerSecond"/>.
    /// </summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>Base of the absolute URLs in answers, such as <c>https://voice.example.com</c>. Default: as the request came.</summary>
    [Url] public string? PublicUrl { get; set; }

    internal bool HasValidProxies => TrustedProxies.All(proxy => IPNetwork.TryParse(proxy, out _));
}
