using System.ComponentModel.DataAnnotations;
using System.Net;

namespace VoiceGrains.Gateway.Limits;

/// <summary>Limits of the REST edge; section <c>Gateway</c>.</summary>
public sealed class GatewayOptions
{
    /// <summary>Largest JSON body, bytes. Default 1 MiB.</summary>
    [Range(1024, 1 << 26)] public int MaxBodyBytes { get; set; } = 1 << 20;

    /// <summary>How long a JSON body may take to arrive. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")] public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an uploaded file may take to arrive. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")] public TimeSpan UploadTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the head of a request may take to arrive. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")] public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Slowest average rate of a body after <see cref="BodyGrace"/>, bytes per second. Default 240.</summary>
    [Range(1, 1 << 20)] public int MinBodyBytesPerSecond { get; set; } = 240;

    /// <summary>How long a body may be slower than <see cref="MinBodyBytesPerSecond"/>. Default 5 s; at least a second, in which the server looks.</summary>
    [Range(typeof(TimeSpan), "00:00:01.1", "01:00:00")] public TimeSpan BodyGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Origins whose pages may use the API, such as <c>https://app.example.com</c>. Default: none are named, and any may.</summary>
    public string[] AllowedOrigins { get; set; } = [];

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
