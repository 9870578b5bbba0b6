using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Gateway.Limits;

/// <summary>
/// How slow a client may be before its connection is given to another, and how much it may ask for in one line. Media connections have left HTTP behind and are not meant.
/// </summary>
internal sealed class ConnectionLimits(IOptions<GatewayOptions> gateway) : IConfigureOptions<KestrelServerOptions>
{
    /// <summary>Clients of rooms put their media's offer into the query: 24 KB where they cannot compress it. Kestrel's own limit is 8 KiB.</summary>
    private const int LongestRequestLine = 64 * 1024;

    public void Configure(KestrelServerOptions options)
    {
        var limits = gateway.Value;
        options.Limits.MaxRequestLineSize = LongestRequestLine;
        options.Limits.RequestHeadersTimeout = limits.HeaderTimeout;
        options.Limits.MinRequestBodyDataRate = new MinDataRate(limits.MinBodyBytesPerSecond, limits.BodyGrace);
    }
}
