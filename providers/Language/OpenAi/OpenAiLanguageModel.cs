using System.Buffers;
using System.Runtime.CompilerServices;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.OpenAi;

namespace VoiceGrains.Providers.Language.OpenAi;

/// <summary>Chat completions of an OpenAI-compatible server, streamed (<c>POST {BaseUrl}/chat/completions</c>).</summary>
internal sealed class OpenAiLanguageModel(OpenAiEndpoint endpoint) : ILanguageModel
{
    private const int ReadBytes = 16 * 1024;
    private const int MostEventBytes = 1024 * 1024;
    private const long MostStreamBytes = 32 * 1024 * 1024;

    public bool AcceptsAudio => endpoint.Options.AcceptsAudio;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var content = ChatRequestWriter.Write(request, endpoint.Options);
        using var timeout = endpoint.BeginRequest(cancellationToken);
        timeout.Arm("first token", endpoint.Options.FirstOutputTimeout);
        using var response = await endpoint.PostAsync("/chat/completions", () => OpenAiEndpoint.Json(content), timeout).ConfigureAwait(false);
        await using var body = await OpenStreamAsync(response, timeout).ConfigureAwait(false);
        var chat = new ChatStream(endpoint.Provider, data => ProviderErrors.Read(data.Span, endpoint.Options.ApiKey));
        var events = new SseParser(MostEventBytes, MostStreamBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            while (!chat.IsDone)
            {
                var read = await endpoint.ReadAsync(body, buffer, timeout).ConfigureAwait(false);
                events.Append(buffer.AsSpan(0, read));
                while (!chat.IsDone && TryReadEvent(events, atEnd: read == 0, out var data))
                {
                    if (chat.Read(data) is { } words)
                    {
                        timeout.Disarm();
                        yield return words;
                    }
                    if (chat.HasOutput) timeout.Arm("next token", endpoint.Options.StallTimeout);
                }
                if (read == 0) break;
            }
            foreach (var delta in chat.Finish())
                yield return delta;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TryReadEvent(SseParser events, bool atEnd, out ReadOnlyMemory<byte> data) => events.Read(out data) switch
    {
        SseResult.Event => true,
        SseResult.NeedMore => atEnd && events.TryReadLast(out data),
        SseResult.LineTooLong => throw Bad($"an event of more than {MostEventBytes} bytes"),
        _ => throw Bad($"an answer of more than {MostStreamBytes} bytes"),
    };

    private async Task<Stream> OpenStreamAsync(HttpResponseMessage response, PhaseTimeout timeout)
    {
        var type = response.Content.Headers.ContentType?.MediaType;
        if (type is not null && !type.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase)) throw Bad($"{type} instead of an event stream");
        return await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
    }

    private ProviderException Bad(string what) => new(endpoint.Provider, ProviderFault.BadAnswer, $"{endpoint.Provider} sent {what}.");
}
