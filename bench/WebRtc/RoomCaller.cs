using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf;
using VoiceGrains.Cli;
using VoiceGrains.Silo.LiveKit.Protocol;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>A whole client of a call: join socket, LiveKit's signalling, and the media of a <see cref="Caller"/>.</summary>
internal sealed class RoomCaller : IDisposable
{
    private const string Microphone = "b7a7842b-92e1-4a57-9c00-12490a98850d";       // of the offer
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), PingPeriod = TimeSpan.FromSeconds(5);
    private readonly ClientWebSocket _join = new(), _signal = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    private RoomCaller()
    {
    }

    public Caller Media { get; } = new(hasData: true);

    /// <summary>Why it is no longer in the call; null while it is.</summary>
    public string? Ended { get; private set; }

    public static async Task<RoomCaller> JoinAsync(Uri joinUrl, CancellationToken cancellationToken)
    {
        var caller = new RoomCaller();
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            await caller.EnterAsync(joinUrl, limit.Token);
            return caller;
        }
        catch (Exception failure) when (failure is WebSocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            caller.Dispose();
            throw new CliException($"A call could not be joined: {failure.Message}");
        }
    }

    /// <summary>Hangs up.</summary>
    public async Task LeaveAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        if (Ended is null) await SendAsync(new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } }, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _stop.Cancel();
        Media.Dispose();
        _join.Dispose();
        _signal.Dispose();
    }

    private async Task EnterAsync(Uri joinUrl, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        await _join.ConnectAsync(joinUrl, cancellationToken);
        var room = JsonSerializer.Deserialize<JsonElement>((await ReceiveAsync(_join, buffer, cancellationToken)).Span);
        await _signal.ConnectAsync(new Uri($"{room.GetProperty("roomUrl").GetString()}/rtc?access_token={room.GetProperty("token").GetString()}&sdk=js&version=2.16.1&protocol=16"), cancellationToken);
        await SendAsync(new SignalRequest { AddTrack = new AddTrackRequest { Cid = Microphone, Name = "microphone", Type = TrackType.Audio, Source = TrackSource.Microphone } }, cancellationToken);
        await SendAsync(new SignalRequest { Offer = new SessionDescription { Type = "offer", Sdp = Media.Offer, Id = 1 } }, cancellationToken);
        string? answer = null;
        while (answer is null) answer = SignalResponse.Parser.ParseFrom((await ReceiveAsync(_signal, buffer, cancellationToken)).Span).Answer?.Sdp;
        var port = int.Parse(Regex.Match(answer, @"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+)", RegexOptions.IgnoreCase).Groups[1].Value, CultureInfo.InvariantCulture);
        await Media.ConnectAsync(port, answer, cancellationToken);
        _running.AddRange([ListenAsync(_join), ListenAsync(_signal), PingAsync()]);
    }

    private async Task PingAsync()
    {
        using var timer = new PeriodicTimer(PingPeriod);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            await SendAsync(new SignalRequest { PingReq = new Ping { Timestamp = Environment.TickCount64 } }, _stop.Token);
        }
    }

    /// <summary>Reads what nobody asked for, until the end.</summary>
    private async Task ListenAsync(WebSocket socket)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true) await ReceiveAsync(socket, buffer, _stop.Token);
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or CliException)
        {
            if (!_stop.IsCancellationRequested) Ended ??= gone.Message;
        }
    }

    private Task SendAsync(SignalRequest request, CancellationToken cancellationToken)
        => _signal.SendAsync(request.ToByteArray(), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);

    private static async Task<ReadOnlyMemory<byte>> ReceiveAsync(WebSocket socket, byte[] buffer, CancellationToken cancellationToken)
    {
        for (var length = 0; ;)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close) throw new CliException($"The server closed: {socket.CloseStatus} {socket.CloseStatusDescription}");
            length += part.Count;
            if (part.EndOfMessage) return buffer.AsMemory(0, length);
        }
    }
}
