using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Accounts;

/// <summary>The server's end points for administrators. Failures become messages for the terminal.</summary>
internal sealed class AdminClient : IDisposable
{
    private const int MostAttempts = 5;
    private const int PageSize = 100;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    /// <summary>A year of calls is sorted before its first row comes.</summary>
    private static readonly TimeSpan DownloadLimit = TimeSpan.FromMinutes(10);
    private readonly HttpClient http;

    public AdminClient(Uri url, string token)
    {
        http = new HttpClient { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        catch (FormatException)
        {
            throw new CliException("The administrator's token is no token: it has characters that none has.", CliException.Usage);
        }
    }

    public Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    public Task<JsonNode> PostAsync(string path, JsonNode? body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, body ?? new JsonObject(), cancellationToken);

    public Task<JsonNode> PatchAsync(string path, JsonNode body, CancellationToken cancellationToken) => SendAsync(HttpMethod.Patch, path, body, cancellationToken);

    /// <summary>The first rows of a list, page by page.</summary>
    /// <param name="path">With its query, if any.</param>
    /// <param name="most">At most so many.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The rows, and how many there are.</returns>
    public async Task<(JsonArray Rows, int Total)> ListAsync(string path, int most, CancellationToken cancellationToken)
    {
        var rows = new JsonArray();
        for (var next = $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}pageSize={Math.Min(most, PageSize)}"; ;)
        {
            var page = await GetAsync(next, cancellationToken);
            foreach (var row in page["results"]?.AsArray() ?? [])
            {
                if (rows.Count < most) rows.Add(row!.DeepClone());
            }
            if ((string?)page["next"] is not { } link || rows.Count >= most) return (rows, (int?)page["total"] ?? rows.Count);
            next = new Uri(link).PathAndQuery;      // the link may name the server as others reach it
        }
    }

    /// <summary>Copies an answer to where it goes, as it comes.</summary>
    public async Task DownloadAsync(string path, Stream to, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var reply = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, DownloadLimit, cancellationToken);
        if (!reply.IsSuccessStatusCode) throw Refused(reply.StatusCode, await reply.Content.ReadAsStringAsync(cancellationToken));
        try
        {
            await reply.Content.CopyToAsync(to, cancellationToken);
        }
        catch (Exception broken) when (broken is HttpRequestException or HttpIOException)
        {
            throw new CliException($"The answer broke off and is not complete: {broken.Message}");
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            using var reply = await SendAsync(request, HttpCompletionOption.ResponseContentRead, AnswerLimit, cancellationToken);
            if (reply.StatusCode == HttpStatusCode.TooManyRequests && attempt < MostAttempts)
            {
                await Task.Delay(reply.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1), cancellationToken);
                continue;
            }
            var text = await reply.Content.ReadAsStringAsync(cancellationToken);
            if (!reply.IsSuccessStatusCode) throw Refused(reply.StatusCode, text);
            return Parse(text) ?? throw new CliException($"{http.BaseAddress} answered something else than JSON: it is another program.", CliException.NoServer);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption until, TimeSpan within, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(within);
        try
        {
            return await http.SendAsync(request, until, limit.Token);
        }
        catch (HttpRequestException failure)
        {
            throw Unreachable.Because(http.BaseAddress, failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CliException($"The server at {http.BaseAddress} did not answer within {within.TotalSeconds:0} s.", CliException.NoServer);
        }
    }

    private CliException Refused(HttpStatusCode status, string body)
    {
        var answer = Parse(body) as JsonObject;
        var words = answer?["detail"] is JsonValue detail ? detail.ToString() : body;
        return status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new($"{http.BaseAddress} refuses the administrator's token: {words} Another one is given with --admin-token or VOICEGRAINS_ADMIN_TOKEN.", CliException.NoServer),
            HttpStatusCode.NotFound when answer?["code"] is null
                => new($"{http.BaseAddress} has no administration: it has no Admin:Token, is an older VoiceGrains, or another program.", CliException.NoServer),
            HttpStatusCode.BadRequest => new($"The server refuses the request: {words}", CliException.Usage),
            HttpStatusCode.NotFound or HttpStatusCode.Conflict => new(words, CliException.Usage),
            _ => new($"The request failed with {(int)status}: {words}"),
        };
    }

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
