using System.Net;
using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Tools;

/// <summary>Runs HTTP tools, with one pool of connections for all calls of this server. How it treats what servers do is in <c>docs/tools.md</c>.</summary>
internal sealed class HttpToolInvoker : IDisposable
{
    private readonly OutboundGuard _guard;
    private readonly ToolOptions _options;
    private readonly HttpClient _client;

    public HttpToolInvoker(OutboundGuard guard, IOptions<ToolOptions> options)
    {
        (_guard, _options) = (guard, options.Value);
        _client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = guard.ConnectAsync,
            ConnectTimeout = _options.ConnectTimeout,
            MaxConnectionsPerServer = _options.MaxConnectionsPerHost,
            PooledConnectionIdleTimeout = _options.ConnectionIdleTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),     // a name that moves is noticed
            MaxResponseDrainSize = 0,                               // the rest of a response that is too long is nobody's business
            AllowAutoRedirect = false,                              // ours drops the tool's secrets
            UseCookies = false,
            UseProxy = false,
        }) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <inheritdoc cref="IToolInvoker.InvokeAsync"/>
    public async Task<ToolOutcome> InvokeAsync(Invocation invocation, ToolContext context, CancellationToken cancellationToken)
    {
        try
        {
            using var request = HttpToolRequest.Build(invocation, context);
            using var response = await SendAsync(request, cancellationToken);
            return await HttpToolResponse.ReadAsync(response, _options.MaxResponseBytes, cancellationToken);
        }
        catch (ToolInputException exception)
        {
            return ToolOutcome.Failed(exception.Message);
        }
        catch (Exception exception) when (exception is OutboundBlockedException or HttpRequestException or IOException or FormatException or InvalidOperationException)
        {
            return ToolOutcome.Failed("The tool could not be reached.", Describe(exception));
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Sends, and follows redirects of requests that change nothing; the guard sees each hop, by URL here and by address when it connects.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await SendOnceAsync(request, cancellationToken);
        for (var hops = 0; hops < _options.MaxRedirects && NextHop(request, response) is { } next; hops++)
        {
            response.Dispose();
            // The secrets and values are for the origin that the tool's author named, not for wherever that one points.
            var isSameOrigin = Uri.Compare(request.RequestUri, next, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
            using var hop = new HttpRequestMessage(request.Method, next);
            foreach (var header in isSameOrigin ? request.Headers.NonValidated : default) hop.Headers.TryAddWithoutValidation(header.Key, header.Value);
            response = await SendOnceAsync(request = hop, cancellationToken);
        }
        return response;
    }

    private Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _guard.Check(request.RequestUri!);
        return _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>Where a redirect leads; null when it is none, or not one to follow: then its status is the tool's answer.</summary>
    private static Uri? NextHop(HttpRequestMessage request, HttpResponseMessage response)
    {
        var isRedirect = response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
        if (!isRedirect || request.Content is not null || (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)) return null;
        if (response.Headers.Location is not { } location || !Uri.TryCreate(request.RequestUri!, location, out var next)) return null;
        return request.RequestUri!.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps ? null : next;
    }

    private static string Describe(Exception exception)
        => exception.InnerException is OutboundBlockedException blocked ? blocked.Message
        : exception.InnerException is { } inner ? $"{exception.Message} {inner.Message}" : exception.Message;
}
