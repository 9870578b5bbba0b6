using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>
/// Makes one attempt: a POST of <c>{"event": ..., "call": ...}</c>, signed anew with the time of the attempt. Only the status of the answer counts; its body
/// is not read, and redirects are not followed.
/// </summary>
internal sealed class DeliverySender(ProviderHttpPool http, OutboundGuard guard, IOptions<WebhookOptions> options, TimeProvider clock)
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly ProductInfoHeaderValue Agent = new("VoiceGrains", "1.0");

    /// <summary>Null when the receiver took it, else why not, in words that are fit for the tenant.</summary>
    /// <exception cref="OperationCanceledException">The caller wants it no longer; the receiver may have taken it.</exception>
    public async Task<string?> SendAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.Value.Timeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            if (delivery.Call is not { } call) return "What is stored of it cannot be read.";
            if (!Uri.TryCreate(delivery.Url, UriKind.Absolute, out var url)) return "The URL is not valid.";
            guard.Check(url);
            using var request = Request(delivery, call, url);
            using var answer = await http.TenantClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            return answer.IsSuccessStatusCode ? null : $"HTTP {(int)answer.StatusCode}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"No answer within {options.Value.Timeout.TotalSeconds:0.###} s.";
        }
        catch (HttpRequestException failure)
        {
            return Words(failure);
        }
    }

    private HttpRequestMessage Request(Delivery delivery, CallSnapshot call, Uri url)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new Payload(delivery.Event, CallResponse.From(call)), WireJson.Options);
        var timestamp = WebhookSignature.Timestamp(clock.GetUtcNow());
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) { Headers = { ContentType = Json } } };
        request.Headers.UserAgent.Add(Agent);
        request.Headers.Add(WebhookSignature.TimestampHeader, timestamp);
        if (WebhookSignature.Sign(body, timestamp, delivery.Secrets) is { } signatures)
            request.Headers.TryAddWithoutValidation(WebhookSignature.SignatureHeader, signatures);
        return request;
    }

    /// <summary>Exceptions of the network name addresses, which may be of the inside.</summary>
    private static string Words(HttpRequestException failure) => failure switch
    {
        OutboundBlockedException => failure.Message,
        { InnerException: OutboundBlockedException inner } => inner.Message,
        { HttpRequestError: HttpRequestError.NameResolutionError } => "The host's name was not found.",
        { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } } => "The host's name was not found.",
        { HttpRequestError: HttpRequestError.SecureConnectionError } => "The TLS connection failed.",
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => "The connection was refused.",
        { HttpRequestError: HttpRequestError.ConnectionError } => "No connection could be made.",
        _ => "The connection broke or the answer was not HTTP.",
    };

    private sealed record Payload(string Event, CallResponse Call);
}
