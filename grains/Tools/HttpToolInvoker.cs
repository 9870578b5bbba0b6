using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Tools;

/// <summary>Runs HTTP tools: parameters into path, query, header and body; the response's body is the result, its headers may steer the call.</summary>
internal sealed class HttpToolInvoker(OutboundGuard guard) : IDisposable
{
    // Redirects are not followed: the guard and the tool's authentication are for the URL that the customer gave.
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        ConnectCallback = guard.ConnectAsync,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    }) { Timeout = Timeout.InfiniteTimeSpan };

    // What a model can use; more would only crowd out the conversation.
    private const int LongestResult = 64 * 1024;

    public async Task<ToolOutcome> InvokeAsync(Answer answer, Invocation invocation, ToolContext context, CancellationToken cancellationToken)
    {
        try
        {
            using var request = BuildRequest(invocation, context);
            guard.Check(request.RequestUri!);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var body = await ReadAsync(response.Content, cancellationToken);
            return ToOutcome(answer, invocation, response, body);
        }
        catch (Exception exception) when (exception is OutboundBlockedException or HttpRequestException or IOException or FormatException or InvalidOperationException)
        {
            return new ToolOutcome(answer, invocation, "Error: The tool could not be reached.") { ErrorDetails = exception.Message };
        }
    }

    public void Dispose() => _client.Dispose();

    private static HttpRequestMessage BuildRequest(Invocation invocation, ToolContext context)
    {
        var http = invocation.Tool.Definition.Http!;
        var url = http.BaseUrlPattern ?? "";
        var query = new StringBuilder();
        var body = new JsonObject();
        var headers = new List<(string Name, string Value)>();
        foreach (var (location, name, value) in ToolSchema.AllParameters(invocation, context))
        {
            switch (location)
            {
                case ParameterLocation.Path: url = url.Replace($"{{{name}}}", Uri.EscapeDataString(AsText(value)), StringComparison.Ordinal); break;
                case ParameterLocation.Query: Append(query, name, AsText(value)); break;
                case ParameterLocation.Header: headers.Add((name, AsText(value))); break;
                default: body[name] = value; break;
            }
        }
        foreach (var (name, value) in invocation.Tool.AuthQueryParams) Append(query, name, value);
        if (query.Length > 0) url += (url.Contains('?', StringComparison.Ordinal) ? "&" : "?") + query;
        var request = new HttpRequestMessage(new HttpMethod(http.HttpMethod ?? "GET"), new Uri(url, UriKind.Absolute));
        if (body.Count > 0) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers) AddHeader(request, name, value);
        foreach (var (name, value) in invocation.Tool.AuthHeaders) AddHeader(request, name, value);
        return request;
    }

    private static ToolOutcome ToOutcome(Answer answer, Invocation invocation, HttpResponseMessage response, string body)
    {
        if (!response.IsSuccessStatusCode)
        {
            var details = $"HTTP error: {(int)response.StatusCode} Response:{body}";
            return new ToolOutcome(answer, invocation, $"Error: The tool answered with status {(int)response.StatusCode}.") { ErrorDetails = details };
        }
        return new ToolOutcome(answer, invocation, body)
        {
            Reaction = ToolSchema.ReadReaction(Header(response, "X-Ultravox-Agent-Reaction")),
            HangsUp = Header(response, "X-Ultravox-Response-Type") == "hang-up",
            NewStage = Header(response, "X-Ultravox-Response-Type") == "new-stage" ? body : null,
            UpdateCallState = ReadState(Header(response, "X-Ultravox-Update-Call-State")),
        };
    }

    private static async Task<string> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LongestResult];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static string AsText(JsonNode? value) => value switch
    {
        null => "",
        JsonValue text when text.TryGetValue<string>(out var plain) => plain,
        _ => value.ToJsonString(),
    };

    private static void Append(StringBuilder query, string name, string value)
        => query.Append(query.Length > 0 ? "&" : "").Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));

    /// <summary>A value with a line break would smuggle in headers; the runtime refuses it with a <see cref="FormatException"/>.</summary>
    private static void AddHeader(HttpRequestMessage request, string name, string value)
    {
        if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
        {
            if (request.Content is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
        }
        else request.Headers.Add(name, value);
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static JsonObject? ReadState(string? header)
    {
        try
        {
            return header is null ? null : JsonNode.Parse(header) as JsonObject;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
