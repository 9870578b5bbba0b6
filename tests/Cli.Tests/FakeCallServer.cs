using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Cli.Tests;

/// <summary>
/// A server that speaks the call protocol over a real loopback socket and behaves as simply as can be: speech followed by 200 ms of silence, or a typed message, is
/// a turn; the answer is a tone, paced at real time; speech during the answer interrupts it.
/// </summary>
internal sealed class FakeCallServer : IAsyncDisposable
{
    public const string Key = "abcdefgh.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
    public const int RateHz = 16_000;
    private const int FrameSamples = RateHz / 50;
    private readonly WebApplication app;

    private FakeCallServer(WebApplication app) => this.app = app;

    public Uri Url { get; private set; } = new("http://127.0.0.1");

    /// <summary>Bodies of the creation requests.</summary>
    public ConcurrentQueue<JsonNode> Created { get; } = new();

    /// <summary>Text messages of the clients.</summary>
    public ConcurrentQueue<JsonNode> Messages { get; } = new();

    /// <summary>All audio of all clients.</summary>
    public ConcurrentQueue<short> Heard { get; } = new();

    /// <summary>Length of an answer. Zero: it never answers.</summary>
    public TimeSpan Answer { get; set; } = TimeSpan.FromMilliseconds(600);

    /// <summary>Creation requests to refuse with 429 first.</summary>
    public int Refusals { get; set; }

    /// <summary>Samples of agent audio sent.</summary>
    public int SamplesSent { get; private set; }

    public static async Task<FakeCallServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new FakeCallServer(app);
        app.UseWebSockets();
        app.Use(server.RequireKeyAsync);
        app.MapPost("/api/calls", server.CreateAsync);
        app.MapPost("/api/agents/{agent}/calls", server.CreateAsync);
        app.MapGet("/api/calls/{id}", (string id) => Results.Json(new { callId = id, ended = "2026-01-01T00:00:00Z", endReason = "hangup" }));
        app.MapGet("/api/calls/{id}/messages", () => Results.Json(new { results = new[] { new { role = "MESSAGE_ROLE_USER", text = "kept words" } } }));
        app.MapGet("/join", server.JoinAsync);
        await app.StartAsync();
        server.Url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return server;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private Task RequireKeyAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path == "/join" || context.Request.Headers["X-API-Key"] == Key)
            return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return context.Response.WriteAsync("{\"detail\":\"Invalid API key.\"}");
    }

    private async Task<IResult> CreateAsync(HttpRequest request)
    {
        if (Refusals-- > 0)
        {
            request.HttpContext.Response.Headers.RetryAfter = "0";
            return Results.StatusCode(StatusCodes.Status429TooManyRequests);
        }
        Created.Enqueue((await JsonNode.ParseAsync(request.Body))!);
        return Results.Json(new { callId = Guid.NewGuid(), joinUrl = $"ws://{Url.Authority}/join" }, statusCode: StatusCodes.Status201Created);
    }

    private async Task JoinAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var call = new Call(this, socket);
        await call.SendAsync(new { type = "call_started", callId = "x" });
        await call.SendAsync(new { type = "state", state = "listening" });
        await call.ReceiveAsync(context.RequestAborted);
    }

    private sealed class Call(FakeCallServer server, WebSocket socket)
    {
        private readonly SemaphoreSlim sending = new(1);
        private CancellationTokenSource? answering;
        private int silentFrames;
        private int speechFrames;
        private int ordinal;

        public async Task ReceiveAsync(CancellationToken cancellationToken)
        {
            var buffer = new byte[64 << 10];
            try
            {
                while (true)
                {
                    var part = await socket.ReceiveAsync(buffer, cancellationToken);
                    if (part.MessageType == WebSocketMessageType.Close)
                        break;
                    if (part.MessageType == WebSocketMessageType.Binary)
                        await OnAudioAsync(MemoryMarshal.Cast<byte, short>(buffer.AsSpan(0, part.Count)).ToArray());
                    else
                        OnText(Encoding.UTF8.GetString(buffer, 0, part.Count));
                }
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "done", cancellationToken);
            }
            catch (Exception gone) when (gone is WebSocketException or OperationCanceledException)
            {
                // The client left without a word.
            }
        }

        public async Task SendAsync(object message) => await SendAsync(JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(message))!.ToJsonString());

        private void OnText(string text)
        {
            var message = JsonNode.Parse(text)!;
            server.Messages.Enqueue(message);
            if ((string?)message["type"] == "user_text_message")
                _ = AnswerAsync((string)message["text"]!);
        }

        private async Task OnAudioAsync(short[] pcm)
        {
            foreach (var sample in pcm)
                server.Heard.Enqueue(sample);
            if (pcm.Any(sample => Math.Abs((int)sample) > 1_000))
            {
                (speechFrames, silentFrames) = (speechFrames + 1, 0);
                if (answering is { } running && speechFrames > 5)
                {
                    answering = null;
                    await running.CancelAsync();
                    await SendAsync(new { type = "playback_clear_buffer" });
                }
            }
            else if (speechFrames > 0 && ++silentFrames == 10)
            {
                speechFrames = 0;
                _ = AnswerAsync("what you said");
            }
        }

        private async Task AnswerAsync(string words)
        {
            await SendAsync(new { type = "transcript", role = "user", medium = "voice", text = words, final = true, ordinal = ordinal++ });
            await SendAsync(new { type = "state", state = "thinking" });
            if (server.Answer == TimeSpan.Zero)
                return;
            var stop = answering = new CancellationTokenSource();
            var mine = ordinal++;
            await SendAsync(new { type = "state", state = "speaking" });
            await SendAsync(new { type = "transcript", role = "agent", medium = "voice", delta = "You said ", final = false, ordinal = mine });
            await PlayAsync(stop.Token);
            await SendAsync(new { type = "transcript", role = "agent", medium = "voice", delta = words, final = false, ordinal = mine });
            await SendAsync(new { type = "transcript", role = "agent", medium = "voice", text = $"You said {words}", final = true, ordinal = mine });
            await SendAsync(new { type = "state", state = "listening" });
            if (answering == stop)
                answering = null;
        }

        /// <summary>Ten frames ahead of real time, so that a clear has something to take back.</summary>
        private async Task PlayAsync(CancellationToken cancellationToken)
        {
            var tone = new short[FrameSamples];
            for (var i = 0; i < tone.Length; i++)
                tone[i] = (short)(8_000 * Math.Sin(2 * Math.PI * 500 * i / RateHz));
            var start = System.Diagnostics.Stopwatch.GetTimestamp();
            var frames = (int)(server.Answer.TotalMilliseconds / 20);
            for (var frame = 0; frame < frames; frame++)
            {
                var wait = TimeSpan.FromMilliseconds((frame - 10) * 20) - System.Diagnostics.Stopwatch.GetElapsedTime(start);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, CancellationToken.None);
                if (cancellationToken.IsCancellationRequested)
                    return;
                server.SamplesSent += tone.Length;
                await SendAsync(MemoryMarshal.AsBytes<short>(tone).ToArray(), WebSocketMessageType.Binary);
            }
            var rest = server.Answer - System.Diagnostics.Stopwatch.GetElapsedTime(start);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private Task SendAsync(string json) => SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text);

        private async Task SendAsync(byte[] data, WebSocketMessageType type)
        {
            await sending.WaitAsync();
            try
            {
                if (socket.State == WebSocketState.Open)
                    await socket.SendAsync(data, type, true, CancellationToken.None);
            }
            catch (WebSocketException)
            {
                // The client left.
            }
            finally
            {
                sending.Release();
            }
        }
    }
}
