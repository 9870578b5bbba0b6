using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.OpenAi;

/// <summary>Sends requests to one OpenAI-compatible server: address, key, the one retry, and its errors in our words.</summary>
internal sealed class OpenAiEndpoint(string provider, OpenAiOptions options, HttpClient client, TimeProvider clock, Random random)
{
    private const int MostErrorBytes = 16 * 1024;
    private const int MostErrorCharacters = 500;
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

    /// <summary>The server's own words from an error body: <c>error.message</c>, <c>error</c>, <c>message</c> or <c>detail</c>, else the text itself.</summary>
    public string ErrorText(ReadOnlySpan<byte> body)
    {
        var text = Encoding.UTF8.GetString(body).Trim();
        try
        {
            using var document = JsonDocument.Parse(text);
            text = FindMessage(document.RootElement) ?? text;
        }
        catch (JsonException)
        {
            // Not JSON: a proxy's page, say. Its text is all there is.
        }
        if (options.ApiKey is { Length: > 0 } key) text = text.Replace(key, "***", StringComparison.Ordinal);
        return text.Length <= MostErrorCharacters ? text : text[..MostErrorCharacters] + "...";
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
        var text = ErrorText(await ReadErrorBodyAsync(response, timeout).ConfigureAwait(false));
        var status = (int)response.StatusCode;
        var fault = status switch
        {
            408 or 504 => ProviderFault.TimedOut,
            429 => ProviderFault.RateLimited,
            >= 500 => ProviderFault.ServerError,
            >= 400 => ProviderFault.Rejected,
            _ => ProviderFault.BadAnswer,
        };
        return new(provider, fault, $"{provider} answered {status} {response.StatusCode}{(text.Length > 0 ? ": " : "")}{text}")
        {
            Status = status,
            RetryAfter = response.Headers.RetryAfter is { } after ? after.Delta ?? after.Date - clock.GetUtcNow() : null,
        };
    }

    private async Task<byte[]> ReadErrorBodyAsync(HttpResponseMessage response, PhaseTimeout timeout)
    {
        var buffer = new byte[MostErrorBytes];
        var length = 0;
        using var patience = new CancellationTokenSource(ErrorBodyTimeout, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, patience.Token);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(linked.Token).ConfigureAwait(false);
            while (length < buffer.Length && await body.ReadAsync(buffer.AsMemory(length), linked.Token).ConfigureAwait(false) is var read and > 0)
                length += read;
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException
            || (exception is OperationCanceledException && !timeout.Token.IsCancellationRequested))
        {
            // The status says enough; its text is a courtesy.
        }
        return buffer[..length];
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

    private static string? FindMessage(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.String) return root.GetString();
        if (root.ValueKind != JsonValueKind.Object) return null;
        foreach (var name in (ReadOnlySpan<string>)["error", "message", "detail"])
        {
            if (root.TryGetProperty(name, out var member) && FindMessage(member) is { } message) return message;
        }
        return null;
    }
}
