using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>
/// An HTTP server that speaks OpenAI's API and does what the model's name says: a silo has the models <c>fake-NAME</c> and the voices <c>Fake-NAME</c>
/// for each of <see cref="Behaviours"/>.
/// </summary>
internal sealed class FakeProviders : IAsyncDisposable
{
    public const string Words = "The fake model says this sentence. ";

    /// <summary>works: answers. hangs: never answers. fails: 500. cuts: begins, then breaks the connection. stalls: begins, then is silent.</summary>
    public static readonly string[] Behaviours = ["works", "hangs", "fails", "cuts", "stalls"];

    private const int SpeechRateHz = 24_000;
    private readonly WebApplication app;

    public FakeProviders()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.MapPost("/{behaviour}/chat/completions", (HttpContext http, string behaviour) => AnswerAsync(http, behaviour, "text/event-stream", ChatParts()));
        app.MapPost("/{behaviour}/audio/speech", (HttpContext http, string behaviour) => AnswerAsync(http, behaviour, "audio/pcm", [Tone(0.4), Tone(0.4)]));
        app.MapPost("/{behaviour}/audio/transcriptions", (HttpContext http, string behaviour)
            => AnswerAsync(http, behaviour, "application/json", ["{\"text\":"u8.ToArray(), "\"hello there\"}"u8.ToArray()]));
    }

    /// <summary>The silo's settings; its patience is short with the providers that try it, and with the others longer than a busy machine's pauses.</summary>
    public IEnumerable<(string Key, string Value)> Settings => Behaviours.SelectMany(name => new[]
    {
        ($"Providers:{name}:Type", "OpenAi"),
        ($"Providers:{name}:BaseUrl", $"{app.Urls.Single()}/{name}"),
        ($"Providers:{name}:FirstOutputTimeout", name == "hangs" ? "00:00:01.5" : "00:00:30"),
        ($"Providers:{name}:StallTimeout", name == "stalls" ? "00:00:01.5" : "00:00:30"),
        ($"Models:Aliases:fake-{name}", $"{name}/chat"),
        ($"Voices:Add:Fake-{name}:Target", $"{name}/speech"),
        ($"Voices:Add:Fake-{name}:Voice", "alloy"),
        ($"Recognizers:Languages:{LanguageOf(name)}", $"{name}/ears"),
    });

    /// <summary>Calls with this <c>languageHint</c> are heard by that behaviour's recognizer.</summary>
    public static string LanguageOf(string behaviour) => behaviour switch
    {
        "works" => "de",
        "hangs" => "fr",
        "fails" => "es",
        "cuts" => "it",
        _ => "nl",
    };

    /// <summary>Where a behaviour's API is.</summary>
    public string UrlOf(string behaviour) => $"{app.Urls.Single()}/{behaviour}";

    public Task StartAsync() => app.StartAsync();

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http, string behaviour, string contentType, IReadOnlyList<byte[]> parts)
    {
        var gone = http.RequestAborted;
        try
        {
            if (behaviour == "hangs") await Task.Delay(Timeout.Infinite, gone);
            if (behaviour == "fails")
            {
                http.Response.StatusCode = 500;
                await http.Response.WriteAsJsonAsync(new { error = new { message = "out of order" } }, gone);
                return;
            }
            http.Response.ContentType = contentType;
            await WriteAsync(http, parts[0]);
            if (behaviour == "stalls") await Task.Delay(Timeout.Infinite, gone);
            if (behaviour == "cuts")
            {
                await Task.Delay(TimeSpan.FromSeconds(1), gone);     // an abort takes along what is still in its buffers
                http.Abort();
                return;
            }
            foreach (var part in parts.Skip(1)) await WriteAsync(http, part);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // The silo lost patience, as it should.
        }
    }

    private static async Task WriteAsync(HttpContext http, byte[] part)
    {
        await http.Response.Body.WriteAsync(part, http.RequestAborted);
        await http.Response.Body.FlushAsync(http.RequestAborted);
    }

    private static List<byte[]> ChatParts() =>
    [
        Event(JsonSerializer.Serialize(new { choices = new[] { new { index = 0, delta = new { content = Words } } } })),
        Event(JsonSerializer.Serialize(new { choices = new[] { new { index = 0, delta = new { content = "And this." }, finish_reason = "stop" } } })),
        Event("[DONE]"),
    ];

    private static byte[] Event(string data) => System.Text.Encoding.UTF8.GetBytes($"data: {data}\n\n");

    private static byte[] Tone(double seconds)
    {
        var pcm = new short[(int)(seconds * SpeechRateHz)];
        for (var i = 0; i < pcm.Length; i++) pcm[i] = (short)(6_000 * Math.Sin(2 * Math.PI * 300 * i / SpeechRateHz));
        return System.Runtime.InteropServices.MemoryMarshal.AsBytes<short>(pcm).ToArray();
    }
}
