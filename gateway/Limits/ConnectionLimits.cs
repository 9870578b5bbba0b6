using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Gateway.Limits;

/// <summary>How slow a client may be before its connection is given to another. Media connections have left HTTP behind and are not meant.</summary>
internal sealed class ConnectionLimits(IOptions<GatewayOptions> gateway) : IConfigureOptions<KestrelServerOptions>
{
    public void Configure(KestrelServerOptions options)
    {
        var limits = gateway.Value;
        options.Limits.RequestHeadersTimeout = limits.HeaderTimeout;
        options.Limits.MinRequestBodyDataRate = new MinDataRate(limits.MinBodyBytesPerSecond, limits.BodyGrace);
    }
}
