using System.Net;
using System.Net.Http.Headers;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.OpenAi;

/// <summary>Sends requests to one OpenAI-compatible server: address, key, the one retry, and its errors in our words.</summary>
internal sealed class OpenAiEndpoint(string provider, OpenAiOptions options, HttpClient client, TimeProvider clock, Random random)
{
    private static readonly TimeSpan ErrorBodyTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan UsualRetryDelay = TimeSpan.FromMilliseconds(200);

    public string Provider => provider;

    public OpenAiOptions Options => options;

    public PhaseTimeout BeginRequest(CancellationToken cancellationToken) => new(provider, options.RequestTimeout, clock, cancellationToken);

    /// <summary>
    /// Posts and gives the response with its headers read. Retries once when the server could not be reached, was overloaded (429) or failed (5xx):
    /// nothing has been answered yet, so nothing can be answered twice.
    /// </summary>
    /// <param name="path">Below the base URL.</param>
    /// <param name="makeContent">Makes the body, for each attempt anew.</param>
    public async Task<HttpResponseMessage> PostAsync(string path, Func<HttpContent> makeContent, PhaseTimeout timeout)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await PostOnceAsync(path, makeContent, timeout).ConfigureAwait(false);
            }
            catch (ProviderException exception) when (attempt == 1 && exception.Fault is ProviderFault.Unreachable or ProviderFault.RateLimited or ProviderFault.ServerError)
            {
                var delay = exception.RetryAfter ?? UsualRetryDelay;
                if (delay > options.MaxRetryDelay) throw;
                await WaitAsync(delay * (1 + random.NextDouble() / 2), timeout).ConfigureAwait(false);   // jitter: not all callers at once
            }
        }
    }

    /// <summary>Reads more of a body; 0 at its end. A connection that breaks is <see cref="ProviderFault.BrokeOff"/>.</summary>
    public async Task<int> ReadAsync(Stream body, Memory<byte> buffer, PhaseTimeout timeout)
    {
        try
        {
            return await body.ReadAsync(buffer, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            throw timeout.Translate(exception);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new ProviderException(provider, ProviderFault.BrokeOff, $"{provider} broke off its answer: {exception.Message}", exception);
        }
    }

    /// <summary>A JSON body of known length, since not every server takes chunked requests.</summary>
    public static HttpContent Json(ReadOnlyMemory<byte> body)
        => new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private async Task<HttpResponseMessage> PostOnceAsync(string path, Func<HttpContent> makeContent, PhaseTimeout timeout)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.BaseUrl.TrimEnd('/') + path)
        {
            Content = makeContent(),
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        if (options.ApiKey is { Length: > 0 } key) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in options.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.OK) return response;
            using (response)
                throw await ToExceptionAsync(response, timeout).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            throw timeout.Translate(exception);
        }
        catch (HttpRequestException exception)
        {
            throw new ProviderException(provider, ProviderFault.Unreachable, $"{provider} could not be reached: {exception.Message}", exception);
        }
    }

    private async Task<ProviderException> ToExceptionAsync(HttpResponseMessage response, PhaseTimeout timeout)
    {
        var body = await ProviderErrors.ReadBodyAsync(response, ErrorBodyTimeout, clock, timeout.Token).ConfigureAwait(false);
        var text = ProviderErrors.Read(body, options.ApiKey);
        var status = (int)response.StatusCode;
        return new(provider, ProviderErrors.FaultOf(status), $"{provider} answered {status} {response.StatusCode}{(text.Length > 0 ? ": " : "")}{text}")
        {
            Status = status,
            RetryAfter = ProviderErrors.RetryAfter(response, clock),
        };
    }

    private async Task WaitAsync(TimeSpan delay, PhaseTimeout timeout)
    {
        try
        {
            await Task.Delay(delay > TimeSpan.Zero ? delay : TimeSpan.Zero, clock, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            throw timeout.Translate(exception);
        }
    }
}
