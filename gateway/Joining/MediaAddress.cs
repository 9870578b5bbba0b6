using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Paging;

namespace VoiceGrains.Gateway.Joining;

/// <summary>Where a client that came here reaches this server again, also when it was passed on to the silo of its call.</summary>
public static class MediaAddress
{
    /// <summary>Set by the process that passes a request on: where the client came to.</summary>
    internal const string OriginHeader = "X-VoiceGrains-Origin";

    /// <summary>For WebSockets: <c>ws</c> or <c>wss</c>, without a path.</summary>
    /// <param name="configured">The silo's own address for media; null where media come through gateways.</param>
    public static string Of(HttpRequest request, string? configured)
    {
        var address = configured ?? (request.Headers[CallTunnel.HopHeader].Count > 0 && request.Headers[OriginHeader] is [{ Length: > 0 } origin, ..] ? origin : PageResponse.PublicBase(request));
        return address.StartsWith("http", StringComparison.OrdinalIgnoreCase) ? "ws" + address["http".Length..] : address;
    }
}
