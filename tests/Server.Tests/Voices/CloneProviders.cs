using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Server.Tests.Voices;

/// <summary>
/// ElevenLabs, Cartesia and LMNT as far as they clone voices, over a real socket: their public paths, headers, parts and answers. What a key is decides how
/// it goes: see the constants. Each provider has a path of its own in front.
/// </summary>
internal sealed class CloneProviders : IAsyncDisposable
{
    public const string Works = "key-that-works", Quota = "key-over-quota", Broken = "key-of-a-broken-server", Odd = "key-without-an-answer", Pair = "key-that-waits-for-two", Held = "key-that-is-held";

    private readonly WebApplication app;
    private readonly TaskCompletionSource twoAreHere = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int waiting;
    private int made;

    public CloneProviders()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.MapPost("/eleven/v1/voices/add", http => MakeAsync(http, Header(http, "xi-api-key"), "voice_id"));
        app.MapDelete("/eleven/v1/voices/{id}", (HttpContext http, string id) => Delete(id, Header(http, "xi-api-key")));
        app.MapPost("/cartesia/voices/clone", http => MakeAsync(http, Bearer(http), "id"));
        app.MapDelete("/cartesia/voices/{id}", (HttpContext http, string id) => Delete(id, Bearer(http)));
        app.MapPost("/lmnt/v1/ai/voice", http => MakeAsync(http, Header(http, "X-API-Key"), "id"));
        app.MapDelete("/lmnt/v1/ai/voice/{id}", (HttpContext http, string id) => Delete(id, Header(http, "X-API-Key")));
    }

    /// <summary>Every clone that was asked for, in order.</summary>
    public ConcurrentQueue<CloneRequest> Requests { get; } = new();

    /// <summary>Ids of clones that are there.</summary>
    public ConcurrentDictionary<string, string> Clones { get; } = new();

    public IEnumerable<(string, string)> Settings =>
    [
        ("ExternalVoices:ElevenLabs:BaseUrl", Base("eleven")), ("ExternalVoices:Cartesia:BaseUrl", Base("cartesia")), ("ExternalVoices:Lmnt:BaseUrl", Base("lmnt")),
    ];

    /// <summary>Lets those with <see cref="Held"/> go on.</summary>
    public void Release() => released.TrySetResult();

    public Task StartAsync() => app.StartAsync();

    public ValueTask DisposeAsync() => app.DisposeAsync();

    /// <summary>As operators write it: calls go over WebSockets.</summary>
    private string Base(string path) => $"ws{app.Urls.Single()[4..]}/{path}";

    private async Task MakeAsync(HttpContext http, string? key, string idField)
    {
        var form = await http.Request.ReadFormAsync();
        var file = form.Files.Single();
        var bytes = new MemoryStream();
        await file.CopyToAsync(bytes);
        Requests.Enqueue(new(
            http.Request.Path, form.ToDictionary(f => f.Key, f => f.Value.ToString()), file.Name, file.FileName, file.ContentType, bytes.ToArray(),
            http.Request.Headers["Cartesia-Version"]));
        switch (key)
        {
            case Quota:
                await AnswerAsync(http, 401, $$$"""{"detail":{"status":"voice_limit_reached","message":"You have reached your maximum amount of custom voices (10 / 10) with {{{key}}}."}}""");
                return;
            case Broken:
                await AnswerAsync(http, 503, "upstream connect error");
                return;
            case Odd:
                await AnswerAsync(http, 200, "{}");
                return;
            case Pair:
                if (Interlocked.Increment(ref waiting) == 2) twoAreHere.SetResult();
                await twoAreHere.Task.WaitAsync(TimeSpan.FromSeconds(20));
                break;
            case Held:
                await released.Task.WaitAsync(TimeSpan.FromSeconds(20));
                break;
            case not (Works or VoiceSilo.ServersKey):
                await AnswerAsync(http, 401, """{"error":"Invalid API key"}""");
                return;
        }
        var id = $"clone-{Interlocked.Increment(ref made)}";
        Clones[id] = key;
        await AnswerAsync(http, 200, $$"""{"{{idField}}":"{{id}}","requires_verification":false}""");
    }

    private IResult Delete(string id, string? key)
        => Clones.TryGetValue(id, out var owner) && owner == key && Clones.TryRemove(id, out _) ? Results.Json(new { status = "ok" }) : Results.Unauthorized();

    private static Task AnswerAsync(HttpContext http, int status, string json)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = json.StartsWith('{') ? "application/json" : "text/plain";
        return http.Response.WriteAsync(json);
    }

    private static string? Header(HttpContext http, string name) => http.Request.Headers[name];

    private static string? Bearer(HttpContext http) => Header(http, "Authorization") is { } value && value.StartsWith("Bearer ", StringComparison.Ordinal) ? value[7..] : null;
}

/// <param name="Path">The provider's path with the API's.</param>
/// <param name="Fields">The parts that are no file.</param>
/// <param name="FileField">The file's part.</param>
internal sealed record CloneRequest(
    string Path, IReadOnlyDictionary<string, string> Fields, string FileField, string FileName, string ContentType, byte[] File, string? CartesiaVersion);
