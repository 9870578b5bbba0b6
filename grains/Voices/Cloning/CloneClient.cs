using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Grains.Voices.Cloning;

/// <summary>Has providers make and delete clones. Their addresses are the operator's (section <c>ExternalVoices</c>).</summary>
internal sealed class CloneClient(ProviderHttpPool http, IOptions<ExternalVoiceOptions> providers, IOptions<OwnVoiceOptions> options, TimeProvider clock)
{
    public static readonly ErrorCode CloneRefused = new("voice_clone_refused", 400, "The provider did not make the voice");
    public static readonly ErrorCode CloneFailed = new("voice_clone_failed", 502, "The provider could not be asked");

    private const int MaxAnswerBytes = 64 * 1024, MaxWords = 400;

    /// <summary>The new voice's id at the provider.</summary>
    /// <exception cref="PlatformException"><see cref="CloneRefused"/> with the provider's words, or <see cref="CloneFailed"/>.</exception>
    public async Task<string> CreateAsync(CloneApi api, string key, CloneDraft draft, VoiceSample sample, CancellationToken cancellationToken)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in api.Fields(draft)) form.Add(new StringContent(value), name);
        var file = new ByteArrayContent(sample.Bytes);
        file.Headers.ContentType = new MediaTypeHeaderValue(sample.ContentType);
        form.Add(file, api.FileField, $"sample.{sample.Extension}");
        var (status, answer) = await SendAsync(api, HttpMethod.Post, api.Path, key, form, options.Value.CloneTimeout, cancellationToken);
        if (status is >= 200 and < 300 && Field(answer, api.IdField) is { Length: > 0 and <= 200 } id) return id;
        if (status is >= 400 and < 500) throw new PlatformException(CloneRefused, $"{api.Provider} did not make the voice ({status}): {Words(answer, key)}");
        throw new PlatformException(CloneFailed, status < 300 ? $"{api.Provider} answered without a voice." : $"{api.Provider} failed ({status}): {Words(answer, key)}");
    }

    /// <summary>A voice that is gone already is as good as deleted.</summary>
    /// <exception cref="PlatformException">The provider did not do it.</exception>
    public async Task DeleteAsync(CloneApi api, string key, string voiceId, TimeSpan patience)
    {
        var (status, answer) = await SendAsync(api, HttpMethod.Delete, api.DeletePath + Uri.EscapeDataString(voiceId), key, null, patience, CancellationToken.None);
        if (status is not (>= 200 and < 300 or 404)) throw new PlatformException(CloneFailed, $"{api.Provider} did not delete the voice ({status}): {Words(answer, key)}");
    }

    private async Task<(int Status, string Answer)> SendAsync(
        CloneApi api, HttpMethod method, string path, string key, HttpContent? content, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var request = new HttpRequestMessage(method, api.BaseUrl(providers.Value) + path) { Content = content };
        api.Authenticate(request.Headers, key, providers.Value);
        try
        {
            using var reply = await http.OperatorClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return ((int)reply.StatusCode, await ReadAsync(reply.Content, either.Token));
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PlatformException(CloneFailed, $"{api.Provider} did not answer within {patience.TotalSeconds:0} s.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new PlatformException(CloneFailed, $"{api.Provider} could not be reached.");
        }
    }

    private static async Task<string> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var bytes = new byte[MaxAnswerBytes];
        var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static string? Field(string answer, string field) => Read(answer) is { ValueKind: JsonValueKind.Object } json ? Text(json, field) : null;

    /// <summary>What the provider says of an error, wherever it says it; else the answer itself. Never the key, even if the provider repeats it.</summary>
    private static string Words(string answer, string key)
    {
        var words = Read(answer) is { ValueKind: JsonValueKind.Object } json ? Message(json) ?? answer : answer;
        words = words.Replace(key, "***", StringComparison.Ordinal).Trim();
        return words.Length == 0 ? "no reason given." : words.Length <= MaxWords ? words : words[..MaxWords] + "…";
    }

    private static string? Message(JsonElement json)
    {
        foreach (var field in (ReadOnlySpan<string>)["message", "error", "detail", "title"])
        {
            if (Text(json, field) is { Length: > 0 } text) return text;
            if (json.TryGetProperty(field, out var inner) && inner.ValueKind == JsonValueKind.Object && Message(inner) is { } nested) return nested;
        }
        return null;
    }

    private static string? Text(JsonElement json, string field)
        => json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? Read(string answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
