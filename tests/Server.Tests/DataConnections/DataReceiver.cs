using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.DataConnections;

/// <summary>A customer's server for data connections, on a loopback port: each connection that a call opens is kept with all that came over it.</summary>
internal sealed class DataReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<DataPeer> peers = new();

    private DataReceiver(WebApplication app) => this.app = app;

    /// <summary>Does something else than to accept and to read; null once it should go on with that.</summary>
    public Func<HttpContext, int, Task<bool>>? Refuses { get; set; }

    /// <summary>Serves an accepted connection in place of reading it.</summary>
    public Func<WebSocket, CancellationToken, Task>? Serves { get; set; }

    public string Url => app.Urls.Single().Replace("http", "ws", StringComparison.Ordinal) + "/data?customer=7";

    public int Attempts { get; private set; }

    public IReadOnlyList<DataPeer> Peers => [.. peers];

    public static async Task<DataReceiver> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        var receiver = new DataReceiver(app);
        app.UseWebSockets();
        app.Map("/data", receiver.AcceptAsync);
        await app.StartAsync(SiloFixture.Cancel);
        return receiver;
    }

    /// <summary>The call's <c>dataConnection</c>.</summary>
    /// <param name="more">Further fields, as JSON.</param>
    public string Config(string more = "") => $"{{\"dataConnection\":{{\"websocketUrl\":\"{Url}\"{(more.Length > 0 ? "," : "")}{more}}}}}";

    public async Task<DataPeer> PeerAsync(int index = 0)
    {
        await Poll.UntilAsync(() => peers.Count > index, () => $"Connection {index} did not come; {Attempts} attempts.");
        return peers.ElementAt(index);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in peers) peer.Abort();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync();
    }

    private async Task AcceptAsync(HttpContext http)
    {
        var attempt = ++Attempts;
        if (Refuses is not null && await Refuses(http, attempt)) return;
        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        if (Serves is not null)
        {
            await Serves(socket, http.RequestAborted);
            return;
        }
        var peer = new DataPeer(socket, http.Request);
        peers.Enqueue(peer);
        await peer.ReadAsync();
    }
}

/// <summary>The far end of one data connection.</summary>
internal sealed class DataPeer(WebSocket socket, HttpRequest request)
{
    private readonly List<(long At, JsonElement Json)> messages = [];
    private readonly List<byte> audio = [];
    private readonly List<int> audioLengths = [];
    private readonly Lock gate = new();

    public IReadOnlyDictionary<string, string> Headers { get; } = request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
    public string PathAndQuery { get; } = request.Path + request.QueryString;
    public WebSocketCloseStatus? CloseStatus => socket.CloseStatus;
    public bool IsOver { get; private set; }

    public IReadOnlyList<JsonElement> Messages
    {
        get
        {
            lock (gate) return [.. messages.Select(m => m.Json)];
        }
    }

    public IEnumerable<string> Types => Messages.Select(TypeOf);

    public IReadOnlyList<int> AudioLengths
    {
        get
        {
            lock (gate) return [.. audioLengths];
        }
    }

    public short[] Audio
    {
        get
        {
            lock (gate) return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(audio.ToArray()).ToArray();
        }
    }

    public static string TypeOf(JsonElement message) => message.GetProperty("type").GetString()!;

    public async Task<JsonElement> WaitForAsync(string type, Func<JsonElement, bool>? matches = null)
    {
        JsonElement? found = null;
        await Poll.UntilAsync(
            () => (found = Messages.Where(m => TypeOf(m) == type && (matches is null || matches(m))).Select(m => (JsonElement?)m).FirstOrDefault()) is not null,
            () => $"There was no '{type}' among:\n{string.Join('\n', Messages)}");
        return found!.Value;
    }

    public Task<JsonElement> WaitForFinalAsync(string role, string text)
        => WaitForAsync("transcript", m => m.GetProperty("final").GetBoolean() && m.GetProperty("role").GetString() == role && m.GetProperty("text").GetString() == text);

    public Task SendAsync(object message) => SendAsync(JsonSerializer.Serialize(message));

    public Task SendAsync(string json) => SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text);

    public async Task SendAsync(byte[] data, WebSocketMessageType type) => await socket.SendAsync(data.AsMemory(), type, endOfMessage: true, SiloFixture.Cancel);

    public Task CloseAsync() => socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, SiloFixture.Cancel);

    public void Abort() => socket.Abort();

    public Task WaitForEndAsync() => Poll.UntilAsync(() => IsOver, () => "The connection did not end.");

    public async Task ReadAsync()
    {
        var buffer = new byte[256 * 1024];
        try
        {
            for (var length = 0; ;)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close) break;
                length += part.Count;
                if (!part.EndOfMessage) continue;
                Take(part.MessageType, buffer.AsSpan(0, length));
                length = 0;
            }
            if (socket.State == WebSocketState.CloseReceived) await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut off, by the call or by the test.
        }
        IsOver = true;
    }

    private void Take(WebSocketMessageType type, ReadOnlySpan<byte> message)
    {
        lock (gate)
        {
            if (type == WebSocketMessageType.Text) messages.Add((Stopwatch.GetTimestamp(), JsonSerializer.Deserialize<JsonElement>(message)));
            else
            {
                audio.AddRange(message);
                audioLengths.Add(message.Length);
            }
        }
    }
}
