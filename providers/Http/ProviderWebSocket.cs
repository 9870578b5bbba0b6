using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace VoiceGrains.Providers.Http;

/// <summary>
/// Opens WebSockets to providers (RFC 6455 §4.1). <see cref="ClientWebSocket"/> would hide what a refusal says: here its body is read, and
/// connections come from the same pool, with the same limits, as those of requests.
/// </summary>
internal static class ProviderWebSocket
{
    private static readonly TimeSpan ErrorBodyTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(20);

    /// <summary>Connects and upgrades.</summary>
    /// <param name="url">With the scheme <c>ws</c>, <c>wss</c>, <c>http</c> or <c>https</c>.</param>
    /// <param name="header">Holds the key; sent as given.</param>
    /// <exception cref="WebSocketRefusedException">The server answered something else than an upgrade.</exception>
    /// <exception cref="HttpRequestException">It could not be reached, or is no WebSocket server.</exception>
    public static async Task<WebSocket> ConnectAsync(HttpClient client, Uri url, (string Name, string Value)? header, TimeProvider clock, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        using var request = CreateRequest(url, header, key);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols)
        {
            using (response)
            {
                var body = await ProviderErrors.ReadBodyAsync(response, ErrorBodyTimeout, clock, cancellationToken).ConfigureAwait(false);
                throw new WebSocketRefusedException(response.StatusCode, body) { RetryAfter = ProviderErrors.RetryAfter(response, clock) };
            }
        }
        if (!IsAccepted(response, key))
        {
            response.Dispose();
            throw new HttpRequestException("The server does not speak the WebSocket protocol.");
        }
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);   // owns the connection from here on
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { KeepAliveInterval = PingInterval });
    }

    private static HttpRequestMessage CreateRequest(Uri url, (string Name, string Value)? header, string key)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.ParseAdd("websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", key);
        if (header is var (name, value)) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static bool IsAccepted(HttpResponseMessage response, string key)
    {
        var expected = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));   // RFC 6455 §4.2.2
        return response.Headers.TryGetValues("Sec-WebSocket-Accept", out var accepted) && accepted.SequenceEqual([expected]);
    }
}

/// <summary>A server answered an upgrade with another status.</summary>
internal sealed class WebSocketRefusedException(HttpStatusCode status, byte[] body) : Exception($"The upgrade was answered {(int)status}.")
{
    public HttpStatusCode Status => status;

    /// <summary>At most 16 KiB of the answer.</summary>
    public byte[] Body => body;

    /// <summary>What it asked us to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
