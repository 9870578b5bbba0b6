using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using VoiceGrains.Server.Tests.Launch;

namespace VoiceGrains.Server.Tests.Drain;

/// <summary>A call on a silo process, over its real WebSocket, in text: the agent answers what is typed.</summary>
internal sealed class LiveClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ClientWebSocket socket = new();
    private readonly byte[] buffer = new byte[1 << 16];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public HttpStatusCode JoinStatus => socket.HttpStatusCode;

    public string? JoinRetryAfter => socket.HttpResponseHeaders?.TryGetValue("Retry-After", out var values) is true ? values.Single() : null;

    /// <summary>Asks for a call. Its answer is the caller's to dispose.</summary>
    public static async Task<HttpResponseMessage> CreateAsync(HttpClient http, SiloProcess silo)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(silo.Url, "/api/calls"))
        {
            Content = JsonContent.Create(new
            {
                systemPrompt = "Answer briefly.",
                joinTimeout = "600s",       // some join only after another process was started
                medium = new { serverWebSocket = new { inputSampleRate = 8000 } },
                firstSpeakerSettings = new { user = new { } },
                initialOutputMedium = "MESSAGE_MEDIUM_TEXT",
            }),
        };
        request.Headers.Add("X-API-Key", (await File.ReadAllTextAsync(Path.Combine(silo.Data, "api-key"), Cancel)).Trim());
        return await http.SendAsync(request, Cancel);
    }

    public static async Task<Uri> CreateJoinUrlAsync(HttpClient http, SiloProcess silo)
    {
        using var reply = await CreateAsync(http, silo);
        Assert.Equal(HttpStatusCode.Created, reply.StatusCode);
        return new Uri((await reply.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("joinUrl").GetString()!);
    }

    public static async Task<LiveClient> JoinAsync(Uri joinUrl)
    {
        var client = new LiveClient();
        Assert.Null(await client.TryJoinAsync(joinUrl));
        return client;
    }

    /// <returns>What refused it; null when it joined.</returns>
    public async Task<WebSocketException?> TryJoinAsync(Uri joinUrl)
    {
        socket.Options.CollectHttpResponseDetails = true;
        try
        {
            await socket.ConnectAsync(joinUrl, Cancel);
            return null;
        }
        catch (WebSocketException refused)
        {
            return refused;
        }
    }

    /// <summary>Types to the agent and waits for its whole answer.</summary>
    public async Task<string> AskAsync(string text)
    {
        var message = JsonSerializer.SerializeToUtf8Bytes(new { type = "user_text_message", text });
        await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, Cancel);
        while (true)
        {
            var received = await ReceiveAsync() ?? throw new InvalidOperationException("The call ended.");
            if (Text(received, "type") == "transcript" && Text(received, "role") == "agent" && received.GetProperty("final").GetBoolean())
                return Text(received, "text") ?? "";
        }
    }

    /// <summary>Waits until the server has closed the call.</summary>
    public async Task EndOfCallAsync()
    {
        try
        {
            while (await ReceiveAsync() is not null) { }
        }
        catch (WebSocketException)
        {
            // Closed without a closing handshake: closed all the same.
        }
    }

    public Task HangUpAsync() => socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Cancel);

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>The next data message, undefined for sound; null at the end.</returns>
    private async Task<JsonElement?> ReceiveAsync()
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        late.CancelAfter(Patience);
        var length = 0;
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(length), late.Token);
            length += part.Count;
        }
        while (!part.EndOfMessage);
        return part.MessageType switch
        {
            WebSocketMessageType.Close => null,
            WebSocketMessageType.Text => JsonDocument.Parse(Encoding.UTF8.GetString(buffer, 0, length)).RootElement,
            _ => default(JsonElement),
        };
    }

    private static string? Text(JsonElement message, string name)
        => message.ValueKind == JsonValueKind.Object && message.TryGetProperty(name, out var value) ? value.GetString() : null;
}
