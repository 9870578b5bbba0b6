using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Signing;

namespace VoiceGrains.Grains.Tools;

/// <summary>Builds the request of an HTTP tool: each value into path, query, header or body.</summary>
internal sealed class HttpToolRequest
{
    private const string CallTokenHeader = "X-Ultravox-Call-Token";

    /// <summary>What frames a message, routes it or vouches for it: a parameter of such a name would let a value break out of the request.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        CallTokenHeader, CallSignature.CallIdHeader, CallSignature.TimestampHeader, CallSignature.SignatureHeader,
    };

    private readonly StringBuilder _query = new();
    private readonly List<(string Name, string Value)> _headers = [];
    private JsonObject? _body;
    private string _url;

    private HttpToolRequest(string url) => _url = url;

    /// <summary>
    /// Lists go as their items' texts, repeated in the query (<c>id=1&amp;id=2</c>) and with commas elsewhere, as OpenAPI's defaults have it; objects go as
    /// JSON. Null leaves a query parameter or a header out. A placeholder of the URL takes the parameter of its name, wherever else that goes. There is a body exactly where a parameter goes into it, whatever the method.
    /// </summary>
    /// <exception cref="ToolInputException">A value cannot go where it belongs.</exception>
    public static HttpRequestMessage Build(Invocation invocation, ToolContext context)
    {
        var (tool, http) = (invocation.Tool, invocation.Tool.Definition.Http!);
        var request = new HttpToolRequest(http.BaseUrlPattern ?? "");
        foreach (var (location, name, value) in ToolParameters.All(invocation, context)) request.Place(location, name, value);
        foreach (var (name, value) in tool.AuthQueryParams) request.AddQuery(name, value);
        foreach (var (name, value) in tool.AuthHeaders) request.AddHeader(name, value);
        if (http.CallTokenScopes is { Count: > 0 }) request._headers.Add((CallTokenHeader, context.CallToken));
        var message = request.ToMessage(http.HttpMethod ?? "GET", out var body);
        foreach (var (name, value) in CallSignature.Headers(context.CallId, body, context.SharedSecrets, context.Now)) SetHeader(message, name, value);
        return message;
    }

    private void Place(ParameterLocation location, string name, JsonNode? value)
    {
        if (location != ParameterLocation.Path && _url.Contains($"{{{name}}}", StringComparison.Ordinal)) FillPath(name, AsText(value));
        switch (location)
        {
            case ParameterLocation.Path: FillPath(name, AsText(value)); break;
            case ParameterLocation.Query when value is JsonArray items:
                foreach (var item in items) AddQuery(name, AsText(item));
                break;
            case ParameterLocation.Query when value is not null: AddQuery(name, AsText(value)); break;
            case ParameterLocation.Header when value is not null: AddHeader(name, AsText(value)); break;
            case ParameterLocation.Query or ParameterLocation.Header: break;
            default: ToolParameters.Put(_body ??= [], name, value); break;
        }
    }

    /// <summary>A value must stay one segment: an empty one or a dot would lead to another resource than the tool's author meant.</summary>
    private void FillPath(string name, string value)
    {
        if (value is "" or "." or "..") throw new ToolInputException($"{name}: Must not be {(value.Length == 0 ? "empty" : $"'{value}'")}.");
        _url = _url.Replace($"{{{name}}}", Uri.EscapeDataString(value), StringComparison.Ordinal);
    }

    private void AddQuery(string name, string value)
        => _query.Append(_query.Length > 0 ? "&" : "").Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));

    private void AddHeader(string name, string value)
    {
        if (Reserved.Contains(name)) throw new ToolInputException($"{name}: This header cannot be set by a tool.");
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~')) throw new ToolInputException($"{name}: Must be plain ASCII in one line, as it goes into a header.");
        _headers.Add((name, value));
    }

    private HttpRequestMessage ToMessage(string method, out byte[] body)
    {
        body = [];
        if (OpenPlaceholder(_url) is { } missing) throw new ToolInputException($"{missing}: This field is required.");
        var url = _query.Length == 0 ? _url : $"{_url}{(_url.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{_query}";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address)) throw new ToolInputException("The tool's URL is not valid.");
        var request = new HttpRequestMessage(new HttpMethod(method), address);
        // HttpClient sends a request without content once more when the server hangs up on it; with one, be it empty, it does not.
        if (_body is null && method is not ("GET" or "HEAD" or "OPTIONS")) request.Content = new ByteArrayContent([]);
        if (_body is not null)
        {
            request.Content = new ByteArrayContent(body = JsonSerializer.SerializeToUtf8Bytes(_body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        foreach (var (name, value) in _headers) SetHeader(request, name, value);
        return request;
    }

    private static void SetHeader(HttpRequestMessage request, string name, string value)
    {
        if (name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
        {
            request.Content?.Headers.Remove(name);
            request.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        else if (!request.Headers.TryAddWithoutValidation(name, value)) throw new ToolInputException($"{name}: Is no name of a header.");
    }

    private static string? OpenPlaceholder(string url)
    {
        var start = url.IndexOf('{', StringComparison.Ordinal);
        var end = start < 0 ? -1 : url.IndexOf('}', start);
        return end < 0 ? null : url[(start + 1)..end];
    }

    private static string AsText(JsonNode? value) => value switch
    {
        null => "",
        JsonValue text when text.TryGetValue<string>(out var plain) => plain,
        JsonArray items => string.Join(',', items.Select(AsText)),
        _ => value.ToJsonString(),
    };
}

/// <summary>A request cannot be made of the values that a tool was given; the message tells the model why.</summary>
internal sealed class ToolInputException(string problem) : Exception(problem);
