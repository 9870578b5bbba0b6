using System.Diagnostics;
using System.IO.Compression;
using System.Net.WebSockets;
using Google.Protobuf;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Silo.LiveKit.Protocol;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>The signalling side of a LiveKit client: keeps all that the server said.</summary>
internal sealed class SignalClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ClientWebSocket socket = new();
    private readonly List<SignalResponse> received = [];
    private readonly Lock gate = new();
    private volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task receiving = Task.CompletedTask;

    public ClientWebSocket Socket => socket;

    public List<SignalResponse> Received
    {
        get
        {
            lock (gate) return [.. received];
        }
    }

    public JoinResponse Join { get; private set; } = new();

    /// <summary>Of <c>/rtc</c>, without an offer.</summary>
    public static async Task<SignalClient> ConnectAsync(string roomUrl, string token, string query = "&sdk=js&version=2.16.1&protocol=16")
    {
        var client = new SignalClient();
        await client.OpenAsync($"{roomUrl}/rtc?access_token={token}{query}");
        return client;
    }

    /// <summary>Of <c>/rtc/v1</c>.</summary>
    public static async Task<SignalClient> ConnectV1Async(string roomUrl, string token, JoinRequest request, bool compressed = true)
    {
        var client = new SignalClient();
        await client.OpenAsync($"{roomUrl}/rtc/v1?access_token={token}&join_request={Uri.EscapeDataString(Encode(request, compressed))}");
        return client;
    }

    public static string Encode(JoinRequest request, bool compressed)
    {
        var wrapped = new WrappedJoinRequest { JoinRequest = request.ToByteString() };
        if (compressed)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(request.ToByteArray());
            wrapped = new WrappedJoinRequest { Compression = WrappedJoinRequest.Types.Compression.Gzip, JoinRequest = ByteString.CopyFrom(packed.ToArray()) };
        }
        return Convert.ToBase64String(wrapped.ToByteArray()).Replace('+', '-').Replace('/', '_');
    }

    public Task SendAsync(SignalRequest request) => SendAsync(request.ToByteArray(), WebSocketMessageType.Binary);

    public Task SendAsync(byte[] message, WebSocketMessageType type) => socket.SendAsync(message, type, endOfMessage: true, SiloFixture.Cancel);

    public Task OfferAsync(uint id, string sdp = "an offer") => SendAsync(new SignalRequest { Offer = new SessionDescription { Type = "offer", Sdp = sdp, Id = id } });

    public Task LeaveAsync() => SendAsync(new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } });

    /// <summary>The first message of this kind, past or future, that <paramref name="matches"/>.</summary>
    public async Task<SignalResponse> WaitForAsync(SignalResponse.MessageOneofCase kind, Func<SignalResponse, bool>? matches = null, int after = 0)
    {
        for (var since = Stopwatch.GetTimestamp(); ;)
        {
            var (change, isOver) = (changed.Task, receiving.IsCompleted);
            if (Received.Skip(after).FirstOrDefault(message => message.MessageCase == kind && matches?.Invoke(message) != false) is { } found) return found;
            if (isOver || Stopwatch.GetElapsedTime(since) > Patience) Assert.Fail($"There was no {kind}. Received: {string.Join('\n', Received)}");
            await Task.WhenAny(change, receiving, Task.Delay(Patience, SiloFixture.Cancel));
        }
    }

    /// <summary>How the server closed the connection; null when it was cut.</summary>
    public async Task<WebSocketCloseStatus?> WaitForCloseAsync()
    {
        await receiving.WaitAsync(Patience, SiloFixture.Cancel);
        return socket.CloseStatus;
    }

    /// <summary>The connection is gone without a word.</summary>
    public void Vanish() => socket.Abort();

    public async ValueTask DisposeAsync()
    {
        socket.Abort();
        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        socket.Dispose();
    }

    private async Task OpenAsync(string url)
    {
        socket.Options.CollectHttpResponseDetails = true;
        await socket.ConnectAsync(new Uri(url), SiloFixture.Cancel);
        receiving = ReceiveAsync();
        var first = await WaitForFirstAsync();
        if (first.Join is { } join) Join = join;
    }

    private async Task<SignalResponse> WaitForFirstAsync()
    {
        for (var since = Stopwatch.GetTimestamp(); ;)
        {
            var (change, isOver) = (changed.Task, receiving.IsCompleted);
            if (Received is [var first, ..]) return first;
            Assert.False(isOver || Stopwatch.GetElapsedTime(since) > Patience, "The server said nothing.");
            await Task.WhenAny(change, receiving, Task.Delay(Patience, SiloFixture.Cancel));
        }
    }

    private async Task ReceiveAsync()
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
                lock (gate) received.Add(SignalResponse.Parser.ParseFrom(buffer.AsSpan(0, length)));
                length = 0;
                Signal();
            }
            if (socket.State == WebSocketState.CloseReceived) await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut off: no close status.
        }
        Signal();
    }

    private void Signal()
    {
        var before = changed;
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.TrySetResult();
    }
}
