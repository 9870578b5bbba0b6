using System.Buffers;
using System.Reflection;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Validation;

/// <summary>A request's JSON body, read and checked. As a handler's parameter it is bound before the handler runs.</summary>
/// <param name="Value">What the body says. An empty body reads as <c>{}</c>, as clients that send no body expect.</param>
/// <param name="Json">The body itself, for what the record does not tell: which fields were given at all.</param>
public sealed record Body<T>(T Value, JsonElement Json) where T : class
{
    /// <exception cref="PlatformException"><see cref="HttpErrors.UnsupportedMediaType"/>, <see cref="HttpErrors.TooLarge"/>, <see cref="HttpErrors.ParseError"/>.</exception>
    /// <exception cref="InvalidInputException">The JSON breaks the contract.</exception>
    public static async ValueTask<Body<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var json = await JsonBody.ReadAsync(context.Request, context.RequestAborted);
        return Read(json);
    }

    /// <exception cref="InvalidInputException">The JSON breaks the contract.</exception>
    public static Body<T> Read(JsonElement json) => new(JsonRequestReader.Read<T>(json), json);
}

/// <summary>Reads a body as JSON under the limits that hold for every route.</summary>
internal static class JsonBody
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };
    private static readonly JsonElement Empty = JsonDocument.Parse("{}").RootElement;

    public static async Task<JsonElement> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var options = request.HttpContext.RequestServices.GetRequiredService<IOptions<GatewayOptions>>().Value;
        var limit = options.MaxBodyBytes;
        if (request.ContentLength is 0 && request.ContentType is null) return Empty;
        if (request.ContentLength > limit) throw TooLarge(limit);
        var bytes = await BodyDeadline.ReadAsync(request, options.BodyTimeout, late => ReadAllAsync(request, limit, late));
        if (bytes.Length == 0 && request.ContentType is null) return Empty;
        RequireJson(request);
        return Parse(bytes);
    }

    /// <exception cref="PlatformException"><see cref="HttpErrors.ParseError"/>.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        if (bytes.IsEmpty) return Empty;
        if (!Utf8.IsValid(bytes.Span)) throw new PlatformException(HttpErrors.ParseError, "JSON parse error - the body is not valid UTF-8.");
        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new PlatformException(HttpErrors.ParseError, $"JSON parse error - {Tell(e)}");
        }
        catch (InvalidOperationException)   // half a surrogate pair in a name, met while names are compared
        {
            throw new PlatformException(HttpErrors.ParseError, "JSON parse error - a field's name is not valid text.");
        }
    }

    /// <summary>Where it is, as far as the parser tells: of a field that is there twice it tells only which.</summary>
    private static string Tell(JsonException e)
    {
        var words = e.Message.Split(" LineNumber:")[0].Replace(" encountered during deserialization", "", StringComparison.Ordinal);
        return e.LineNumber is { } line ? $"{words} (line {line + 1}, byte {e.BytePositionInLine})" : words;
    }

    private static void RequireJson(HttpRequest request)
    {
        var given = request.ContentType ?? "";
        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            throw new PlatformException(HttpErrors.UnsupportedMediaType, $"Unsupported content encoding \"{JsonLeaf.Shorten(encoding)}\" in request.");
        if (!MediaTypeHeaderValue.TryParse(given, out var type) || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) && !type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase)))
            throw new PlatformException(HttpErrors.UnsupportedMediaType, $"Unsupported media type \"{JsonLeaf.Shorten(given)}\" in request.");
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAllAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        var body = new ArrayBufferWriter<byte>((int)Math.Min(request.ContentLength ?? 4096, limit) + 1);
        while (true)
        {
            var read = await request.Body.ReadAsync(body.GetMemory(4096), cancellationToken);
            if (read == 0) return body.WrittenMemory;
            body.Advance(read);
            if (body.WrittenCount > limit) throw TooLarge(limit);
        }
    }

    private static PlatformException TooLarge(int limit) => new(HttpErrors.TooLarge, $"Request body exceeded the limit of {limit} bytes.");
}
