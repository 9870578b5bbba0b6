using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>
/// A client of the <c>serverWebSocket</c> medium: a microphone that sends 20 ms of sound (or silence) each 20 ms, a speaker that plays what comes, and a
/// list of all messages with the time of their arrival. Times are seconds since the join.
/// </summary>
internal sealed class LiveCall : IAsyncDisposable
{
    /// <summary>For anything that must happen; far beyond what it takes, for machines that are busy.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket socket = new();
    private readonly SemaphoreSlim sending = new(1);
    private readonly ConcurrentQueue<short[]> toSay = new();
    private readonly CancellationTokenSource leaving = new();
    private readonly List<Received> messages = [];
    private readonly Lock gate = new();
    private readonly int inputRateHz;
    private readonly int outputRateHz;
    private readonly PlayedSound played;
    private readonly MachineStalls stalls = new();
    private long start;
    private volatile int microphoneFrames;
    private Task receiving = Task.CompletedTask;
    private Task pumping = Task.CompletedTask;
    private volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly JsonElement created;

    private LiveCall(ApiClient api, JsonElement call)
    {
        (Api, created, CallId, JoinUrl) = (api, call, call.GetProperty("callId").GetString()!, new Uri(call.GetProperty("joinUrl").GetString()!));
        var medium = call.GetProperty("medium").GetProperty("serverWebSocket");
        inputRateHz = medium.GetProperty("inputSampleRate").GetInt32();
        outputRateHz = medium.TryGetProperty("outputSampleRate", out var rate) ? rate.GetInt32() : inputRateHz;
        played = new PlayedSound(outputRateHz);
    }

    public ApiClient Api { get; }
    public string CallId { get; }
    public Uri JoinUrl { get; private init; }
    public ClientWebSocket Socket => socket;
    public int OutputRateHz => outputRateHz;
    public double ConnectedAt { get; private set; }
    public double Now => Stopwatch.GetElapsedTime(start).TotalSeconds;

    /// <summary>All that came so far, in order; audio messages too.</summary>
    public IReadOnlyList<Received> Messages
    {
        get
        {
            lock (gate) return [.. messages];
        }
    }

    /// <summary>What kept this process waiting since the call was made.</summary>
    public MachineStalls Stalls => stalls;

    /// <summary>How the receive side ended; null while it runs.</summary>
    public string? Failure { get; private set; }

    public bool IsOver => receiving.IsCompleted;

    /// <summary>A call's JSON: <paramref name="medium"/> is merged into a 16 kHz <c>serverWebSocket</c>, the rest into the call.</summary>
    public static JsonObject Request(string? systemPrompt, string? more = null, string? medium = null)
    {
        var socket = new JsonObject { ["inputSampleRate"] = 16_000 };
        foreach (var (name, value) in JsonNode.Parse(medium ?? "{}")!.AsObject()) socket[name] = value?.DeepClone();
        var request = new JsonObject { ["systemPrompt"] = systemPrompt, ["medium"] = new JsonObject { ["serverWebSocket"] = socket } };
        foreach (var (name, value) in JsonNode.Parse(more ?? "{}")!.AsObject()) request[name] = value?.DeepClone();
        return request;
    }

    /// <summary>Creates a call as a client does that is told to come again (503).</summary>
    public static async Task<LiveCall> CreateSoonAsync(ApiClient api, JsonObject request)
    {
        for (var since = Stopwatch.GetTimestamp(); ; await Task.Delay(100, SiloFixture.Cancel))
        {
            var created = await api.PostAsync("/api/calls", request.ToJsonString());
            if (created.Status == 201) return new LiveCall(api, created.Json);
            Assert.True(created.Status == 503, created.Text);
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"No call could be created: {created.Text}");
        }
    }

    /// <summary>Creates a call without joining it.</summary>
    public static async Task<LiveCall> CreateAsync(ApiClient api, JsonObject request)
    {
        var created = await api.PostAsync("/api/calls", request.ToJsonString());
        Assert.True(created.Status == 201, created.Text);
        return new LiveCall(api, created.Json);
    }

    /// <summary>Creates a call and joins it.</summary>
    /// <param name="microphone">Whether sound is sent by itself.</param>
    /// <param name="speaker">Whether anything is read.</param>
    public static async Task<LiveCall> JoinAsync(ApiClient api, JsonObject request, bool microphone = true, bool speaker = true)
    {
        var call = await CreateAsync(api, request);
        await call.JoinAsync(microphone, speaker);
        return call;
    }

    public async Task JoinAsync(bool microphone = true, bool speaker = true)
    {
        using var patience = new CancellationTokenSource(Patience);
        start = Stopwatch.GetTimestamp();
        await socket.ConnectAsync(JoinUrl, patience.Token);
        ConnectedAt = Now;
        if (speaker) receiving = ReceiveAsync();
        if (microphone) pumping = PumpAsync();
    }

    /// <summary>Opens the join URL again, as a client that lost its connection does: told to wait (503), or finding nobody, it tries again.</summary>
    /// <param name="api">Of the server to come back to; null for the one that it left.</param>
    public async Task<LiveCall> ReturnAsync(ApiClient? api = null)
    {
        for (var since = Stopwatch.GetTimestamp(); ; await Task.Delay(100, SiloFixture.Cancel))
        {
            var again = new LiveCall(api ?? Api, created);
            if (api?.Http.BaseAddress is { } address) again = new LiveCall(api, created) { JoinUrl = new UriBuilder(JoinUrl) { Host = address.Host, Port = address.Port }.Uri };
            again.Socket.Options.CollectHttpResponseDetails = true;
            try
            {
                await again.JoinAsync();
                return again;
            }
            catch (WebSocketException refused)
            {
                var status = again.Socket.HttpStatusCode;
                await again.DisposeAsync();
                Assert.True(status is 0 or System.Net.HttpStatusCode.ServiceUnavailable, $"{status}: {refused.Message}");
                Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"The client could not come back: {status}, {refused.Message}");
            }
        }
    }

    /// <summary>The connection is gone without a word.</summary>
    public async Task VanishAsync()
    {
        await leaving.CancelAsync();
        socket.Abort();
        await pumping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Says this after what is queued already.</summary>
    public void Say(short[] pcm) => toSay.Enqueue(pcm);

    public Task SendAsync(string json) => SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text);

    public async Task SendAsync(ReadOnlyMemory<byte> data, WebSocketMessageType type, bool endOfMessage = true)
    {
        await sending.WaitAsync(SiloFixture.Cancel);
        try
        {
            // Not cancelled by a leave: that would abort the connection. An abort ends it.
            await socket.SendAsync(data, type, endOfMessage, SiloFixture.Cancel);
        }
        finally
        {
            sending.Release();
        }
    }

    /// <summary>The first message of this type that <paramref name="matches"/>, past or future.</summary>
    public async Task<Received> WaitForAsync(string type, Func<JsonElement, bool>? matches = null, double after = 0, TimeSpan? patience = null)
    {
        var found = await WaitUntilAsync(
            () => Messages.FirstOrDefault(m => m.At >= after && m.Type == type && (matches is null || matches(m.Json))), $"a message '{type}'", patience);
        return found!;
    }

    public Task<Received> WaitForStateAsync(string state, double after = 0, TimeSpan? patience = null)
        => WaitForAsync("state", json => json.GetProperty("state").GetString() == state, after, patience);

    /// <summary>A final transcript of a side.</summary>
    public Task<Received> WaitForFinalAsync(string role, double after = 0, TimeSpan? patience = null)
        => WaitForAsync("transcript", json => json.GetProperty("role").GetString() == role && json.GetProperty("final").GetBoolean(), after, patience);

    /// <summary>Waits for anything that a message can bring about.</summary>
    public async Task<T> WaitUntilAsync<T>(Func<T?> find, string what, TimeSpan? patience = null) where T : class
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var change = changed.Task;
            if (find() is { } found) return found;
            var left = (patience ?? Patience) - Stopwatch.GetElapsedTime(since);
            Assert.True(left > TimeSpan.Zero, $"There was never {what}. {Story()}");
            if (IsOver) return find() ?? throw new InvalidOperationException($"The call ended before there was {what}. {Story()}");
            using var late = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
            late.CancelAfter(left);
            await Task.WhenAny(change, receiving, Task.Delay(Timeout.Infinite, late.Token));
        }
    }

    /// <summary>Waits until the server has closed or cut the connection.</summary>
    public async Task WaitForCloseAsync(TimeSpan? patience = null)
    {
        await Task.WhenAny(receiving, Task.Delay(patience ?? Patience, SiloFixture.Cancel));
        Assert.True(receiving.IsCompleted, $"The server did not close. {Story()}");
    }

    /// <summary>A look at the speaker.</summary>
    public T Played<T>(Func<PlayedSound, T> look)
    {
        lock (gate) return look(played);
    }

    /// <summary>Whether sound above the level of silence came in a stretch of time.</summary>
    public bool HasSound(double from, double to) => Messages.Any(m => m.At >= from && m.At < to && m.Pcm.Any(sample => Math.Abs((int)sample) > 300));

    /// <summary>The call over REST, once it has ended.</summary>
    public async Task<JsonElement> EndedAsync(TimeSpan? patience = null)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var call = (await Api.GetAsync($"/api/calls/{CallId}")).Json;
            if (call.GetProperty("ended").ValueKind != JsonValueKind.Null) return call;
            Assert.True(Stopwatch.GetElapsedTime(since) < (patience ?? Patience), $"The call did not end. {Story()}");
            await Task.Delay(50, SiloFixture.Cancel);
        }
    }

    /// <summary>What a call that lasted so long must be billed for: whole units of six seconds.</summary>
    public static string BilledDuration(JsonElement ended)
    {
        var lasted = ended.GetProperty("ended").GetDateTimeOffset() - ended.GetProperty("joined").GetDateTimeOffset();
        return $"{6 * Math.Max(1, Math.Ceiling(lasted / TimeSpan.FromSeconds(6)))}s";
    }

    public async Task<List<JsonElement>> ListAsync(string part)
    {
        var reply = await Api.GetAsync($"/api/calls/{CallId}/{part}");
        Assert.True(reply.Status == 200, reply.Text);
        return [.. reply.Json.GetProperty("results").EnumerateArray()];
    }

    /// <summary>Polls a list of the call over REST until it is as it should be.</summary>
    public async Task<List<JsonElement>> ListUntilAsync(string part, Func<List<JsonElement>, bool> isRight, TimeSpan? patience = null)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var list = await ListAsync(part);
            if (isRight(list)) return list;
            Assert.True(Stopwatch.GetElapsedTime(since) < (patience ?? Patience), $"{part} never were right: {string.Join("\n", list)}. {Story()}");
            await Task.Delay(50, SiloFixture.Cancel);
        }
    }

    /// <summary>Leaves politely and gives the ended call.</summary>
    public async Task<JsonElement> LeaveAsync()
    {
        await StopSendingAsync();
        using var patience = new CancellationTokenSource(Patience);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        await WaitForCloseAsync();
        return await EndedAsync();
    }

    /// <summary>The microphone stops; the connection stays.</summary>
    public async Task StopSendingAsync()
    {
        await leaving.CancelAsync();
        await pumping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Everything that came, for failures.</summary>
    public string Story()
    {
        var all = Messages;
        var audio = all.LastOrDefault(m => m.Type == "audio");
        return $"Call {CallId}, {Now:0.0} s, {microphoneFrames} frames sent, last sound at {audio?.At ?? -1:0.0} s, "
            + $"socket {socket.State} {socket.CloseStatus} {socket.CloseStatusDescription} {Failure}. {Stalls}\n"
            + string.Join('\n', all.Where(m => m.Type != "audio").Select(m => $"  {m.At:0.00} {m.Json}"));
    }

    public async ValueTask DisposeAsync()
    {
        await leaving.CancelAsync();
        socket.Abort();
        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await pumping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        socket.Dispose();
        sending.Dispose();
        leaving.Dispose();
        stalls.Dispose();
    }

    private async Task PumpAsync()
    {
        var frame = new short[inputRateHz / 50];
        short[] current = [];
        var at = 0;
        try
        {
            var switchedOn = ConnectedAt;       // not before: what a microphone picks up while the call is set up is not part of it
            for (var sent = 0; !leaving.IsCancellationRequested; sent++)
            {
                var due = switchedOn + 0.02 * sent;
                if (due > Now) await Task.Delay(TimeSpan.FromSeconds(due - Now), leaving.Token);
                Array.Clear(frame);
                for (var filled = 0; filled < frame.Length && (at < current.Length || TakeNext(due, ref current, ref at));)
                {
                    var count = Math.Min(frame.Length - filled, current.Length - at);
                    current.AsSpan(at, count).CopyTo(frame.AsSpan(filled));
                    (at, filled) = (at + count, filled + count);
                }
                if (socket.State != WebSocketState.Open) return;
                await SendAsync(MemoryMarshal.AsBytes<short>(frame).ToArray(), WebSocketMessageType.Binary);
                microphoneFrames = sent + 1;
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or InvalidOperationException or IOException)
        {
            // The receive side tells how the connection ended.
        }
    }

    private bool TakeNext(double time, ref short[] current, ref int at)
    {
        if (!toSay.TryDequeue(out var next)) return false;
        (current, at) = (next, 0);
        lock (gate) messages.Add(new(time, "said", default, []));
        return true;
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[64 * 1024];
        var length = 0;
        try
        {
            while (true)
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
            Failure = $"{exception.GetType().Name}: {exception.Message}";
        }
        Signal();
    }

    private void Take(WebSocketMessageType type, ReadOnlySpan<byte> message)
    {
        var now = Now;
        lock (gate)
        {
            if (type == WebSocketMessageType.Binary)
            {
                var pcm = MemoryMarshal.Cast<byte, short>(message).ToArray();
                played.Add(now, pcm);
                messages.Add(new(now, "audio", default, pcm));
            }
            else
            {
                var json = JsonSerializer.Deserialize<JsonElement>(message);
                var name = json.GetProperty("type").GetString()!;
                if (name == "playback_clear_buffer") played.Clear(now);
                messages.Add(new(now, name, json, []));
            }
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

/// <summary>One message. <paramref name="Type"/> is the data message's type, "audio", or "said" when the microphone picked up the first sample of something new.</summary>
internal sealed record Received(double At, string Type, JsonElement Json, short[] Pcm);
