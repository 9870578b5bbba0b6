using System.Net;

namespace VoiceGrains.Providers.Http;

/// <summary>
/// The connection pools of all providers: one for addresses that the operator configured, one for addresses that tenants gave, which goes through the
/// <see cref="OutboundGuard"/>. Connections are kept warm across requests, HTTP/2 where the server offers it; redirects are not followed.
/// </summary>
public sealed class ProviderHttpPool : IDisposable
{
    /// <summary>Longest wait for a TCP and TLS connection.</summary>
    internal static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly SocketsHttpHandler _operator = Create();
    private readonly SocketsHttpHandler _tenant = Create();

    public ProviderHttpPool(OutboundGuard guard)
    {
        _tenant.ConnectCallback = guard.ConnectAsync;
        _tenant.UseProxy = false;   // a proxy would resolve the name again, out of the guard's sight
        OperatorClient = CreateClient(_operator);
        TenantClient = CreateClient(_tenant);
    }

    /// <summary>For addresses from configuration; any address is allowed.</summary>
    public HttpClient OperatorClient { get; }

    /// <summary>For addresses from tenants; only what the guard lets through. Check the URL with <see cref="OutboundGuard.Check(Uri)"/> first.</summary>
    public HttpClient TenantClient { get; }

    public void Dispose()
    {
        OperatorClient.Dispose();
        TenantClient.Dispose();
        _operator.Dispose();
        _tenant.Dispose();
    }

    private static SocketsHttpHandler Create() => new()
    {
        ConnectTimeout = ConnectTimeout,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.All,
        EnableMultipleHttp2Connections = true,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),   // follow DNS changes
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        MaxResponseHeadersLength = 64,                        // KB
    };

    private static HttpClient CreateClient(SocketsHttpHandler handler) => new(handler, disposeHandler: false)
    {
        Timeout = Timeout.InfiniteTimeSpan,                   // each request has its own limits
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
    };
}
