using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Cli.Calls;

/// <summary>The few REST requests that a caller needs. Failures become messages for the terminal.</summary>
internal sealed class CallClient : IDisposable
{
    private const int MostAttempts = 5;
    private const string SilosPath = "/api/cluster/silos";
    private const string AgentsPath = "/api/agents";
    private readonly ServerAddress server;
    private readonly HttpClient http;

    public CallClient(ServerAddress server)
    {
        this.server = server;
        http = new HttpClient { BaseAddress = server.Url, Timeout = TimeSpan.FromSeconds(15) };
        if (server.ApiKey.Length == 0 || !server.ApiKey.All(character => character is > ' ' and < '\x7f'))
            throw new CliException("The API key is no key: it is empty, or has characters that none has.", CliException.Usage);
        http.DefaultRequestHeaders.Add("X-API-Key", server.ApiKey);
    }

    /// <summary>Creates a call, of an agent where <see cref="CallRequest.AgentId"/> names one. Waits as told when there are too many.</summary>
    public async Task<CreatedCall> CreateAsync(CallRequest request, CancellationToken cancellationToken)
    {
        var path = request.AgentId is null ? "/api/calls" : $"{AgentsPath}/{Uri.EscapeDataString(request.AgentId)}/calls";
        var call = await SendAsync(HttpMethod.Post, path, request.ToJson(), cancellationToken);
        return new CreatedCall((string)call["callId"]!, new Uri((string)call["joinUrl"]!));
    }

    /// <summary>The call as the server tells it.</summary>
    public Task<JsonNode> GetAsync(string callId, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, $"/api/calls/{callId}", null, cancellationToken);

    /// <summary>What was said in the call.</summary>
    public async Task<JsonArray> GetMessagesAsync(string callId, CancellationToken cancellationToken)
        => (await SendAsync(HttpMethod.Get, $"/api/calls/{callId}/messages?pageSize=200", null, cancellationToken))["results"] as JsonArray ?? [];

    /// <summary>The call once it has ended, or as it is when the limit passes.</summary>
    public async Task<JsonNode> GetEndedAsync(string callId, TimeSpan limit, CancellationToken cancellationToken)
    {
        for (var until = DateTime.UtcNow + limit; ; await Task.Delay(100, cancellationToken))
        {
            var call = await GetAsync(callId, cancellationToken);
            if (call["ended"] is not null || DateTime.UtcNow > until)
                return call;
        }
    }

    /// <summary>The silos behind the server, those that were lost a moment ago included.</summary>
    public async Task<JsonArray> GetSilosAsync(CancellationToken cancellationToken)
        => await SendAsync(HttpMethod.Get, SilosPath + "?lapsed=true", null, cancellationToken) as JsonArray ?? throw new CliException($"{server.Url}{SilosPath} answered something else than a list.");

    public void Dispose() => http.Dispose();

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            using var reply = await SendAsync(request, cancellationToken);
            if (reply.StatusCode == HttpStatusCode.TooManyRequests && attempt < MostAttempts)
            {
                await Task.Delay(reply.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1), cancellationToken);
                continue;
            }
            var text = await reply.Content.ReadAsStringAsync(cancellationToken);
            if (!reply.IsSuccessStatusCode)
                throw Refused(method, path, reply.StatusCode, text);
            return JsonNode.Parse(text) ?? throw new CliException($"{method} {path} answered nothing.");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await http.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException failure)
        {
            throw Unreachable.Because(server.Url, failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CliException($"The server at {server.Url} did not answer within {http.Timeout.TotalSeconds:0} s.", CliException.NoServer);
        }
    }

    private CliException Refused(HttpMethod method, string path, HttpStatusCode status, string body) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            => new($"{server.Url} refuses the API key ({(int)status}): {body} Another one is given with --key or VOICEGRAINS_API_KEY.", CliException.NoServer),
        HttpStatusCode.BadRequest => new($"The server refuses the request: {body}", CliException.Usage),
        HttpStatusCode.NotFound when path.StartsWith(SilosPath, StringComparison.Ordinal)
            => new($"{server.Url} knows of no silos: it is another program, or an older VoiceGrains.", CliException.NoServer),
        HttpStatusCode.NotFound when path.StartsWith(AgentsPath, StringComparison.Ordinal)
            => new($"There is no agent {Uri.UnescapeDataString(path.Split('/')[3])} in this account. GET {AgentsPath} lists them, with their ids.", CliException.Usage),
        HttpStatusCode.NotFound => new($"{method} {path}: not found. {body}", CliException.Usage),
        _ => new($"{method} {path} failed with {(int)status}: {body}"),
    };
}

/// <summary>A call that waits to be joined.</summary>
internal sealed record CreatedCall(string CallId, Uri JoinUrl);
