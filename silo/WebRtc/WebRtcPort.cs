using System.Collections.Concurrent;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Media;
using VoiceGrains.WebRtc;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>
/// The <c>webRtc</c> medium: Opus and data messages of a room, whoever is in it just now. The conversation goes on while the user's client has no connection;
/// then the user is silent, the agent speaks to nobody, and data messages wait, 256 of them.
/// </summary>
/// <remarks>
/// What comes from the network is handed to the conversation by the pacer, in one place and one call at a time: sound in frames of 20 ms whatever arrived,
/// silence where nothing did; data messages in the order they came, 64 of them between two ticks.
/// </remarks>
internal sealed class WebRtcPort : IMediaPort, IMeasuredPort, IPaced
{
    private const int InputRateHz = 16_000;         // what the conversation hears by
    private const int FrameSamples = InputRateHz / 50;
    private const int MostLateFrames = 25;
    /// <summary>Beyond, copies take bits that the sound itself needs.</summary>
    private const double MostExpectedLoss = 0.25;
    private const int MostWaitingIn = 64, MostWaitingOut = 256;
    /// <summary>A channel that is not open yet is tried each 50 ms.</summary>
    private const int FlushTicks = 5;
    private const int SampleTicks = 100;
    /// <summary>For what was handed to the network to be heard and read before the client is told to leave.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FlushStep = TimeSpan.FromMilliseconds(10);

    private static ReadOnlySpan<byte> StateMessage => "{\"type\":\"state\""u8;
    private static ReadOnlySpan<byte> CallStartedMessage => "{\"type\":\"call_started\""u8;

    private readonly IRoomMedia _room;
    private readonly Pacer _pacer;
    private readonly TimeProvider _clock;
    private readonly ReceiverMetrics _metrics;
    private readonly ConnectionTotals _connections = new();
    private readonly AudioReceiver _receiver;
    private readonly OpusSender _agent;
    private readonly short[] _frame = new short[FrameSamples];
    private readonly ConcurrentQueue<object> _incoming = new();
    private readonly TaskCompletionSource<MediaEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _outgoingGate = new();
    private readonly Queue<byte[]> _outgoing = new();
    private readonly long _frameTicks;
    private byte[]? _callStarted, _state;
    private IMediaSink? _sink;
    private int _queued;
    private volatile bool _isWaiting;
    private int _ticks;
    private int _putting;
    private int _peak;
    private object? _stream;
    private long _lastPacket;
    private long _nextFrame;

    public WebRtcPort(IRoomMedia room, Pacer pacer, TimeProvider clock, ReceiverMetrics metrics)
    {
        (_room, _pacer, _clock, _metrics) = (room, pacer, clock, metrics);
        _receiver = new AudioReceiver(new AudioReceiverOptions { SampleRateHz = InputRateHz }, clock);
        _agent = new OpusSender(new OpusSenderOptions { FirstTimestamp = (uint)Random.Shared.Next() }, room.SendAudio, clock);
        _frameTicks = clock.TimestampFrequency / 50;
        metrics.Add(_receiver);
    }

    public int InputSampleRateHz => InputRateHz;

    public int OutputSampleRateHz => _agent.SampleRateHz;

    public TimeSpan OutputBuffer => TimeSpan.FromMilliseconds(60);

    /// <summary>What waits here can be taken back; a browser plays the little that it has.</summary>
    public bool CanClear => true;

    /// <summary>Whether the user wants not to be heard, or publishes nothing.</summary>
    public bool IsMuted { get; set; } = true;

    /// <summary>Since the user's last packet of sound.</summary>
    public TimeSpan SilentFor => Interlocked.Read(ref _lastPacket) is var last and not 0 ? _clock.GetElapsedTime(last) : TimeSpan.MaxValue;

    /// <summary>How long the user's sound waits for packets that may come later; zero while nobody hears it.</summary>
    public TimeSpan PlayoutDelay => IsMuted ? TimeSpan.Zero : TimeSpan.FromMilliseconds(_receiver.Statistics.TargetDelayMs);

    public bool TrySendAudio(ReadOnlySpan<short> pcm)
    {
        if (!_agent.TryWrite(pcm)) return false;
        NotePeak(pcm);
        return true;
    }

    public void ClearAudio() => _agent.Clear();

    /// <summary>Loudness of the agent since the last look, 0 to 1.</summary>
    public float TakeAgentLevel() => Interlocked.Exchange(ref _peak, 0) / 32768f;

    /// <summary>Packets that are expected to be lost on their way to who hears the agent: from then on each carries as good a copy of the one before as that is worth.</summary>
    public int ExpectedLossPercent => _agent.Encoder.ExpectedLossPercent;

    /// <summary>Follows what was reported, up at once and down by halves: losses come in bursts.</summary>
    /// <param name="loss">0 to 1.</param>
    public void ExpectLoss(double loss)
    {
        var percent = (int)Math.Ceiling(100 * Math.Clamp(loss, 0, MostExpectedLoss));
        _agent.Encoder.ExpectedLossPercent = Math.Max(percent, (ExpectedLossPercent + percent) / 2);
    }

    public bool TrySendData(ReadOnlyMemory<byte> json)
    {
        var message = json.ToArray();
        lock (_outgoingGate)
        {
            Remember(message);
            if (_outgoing.Count == 0 && _room.TrySendData(message)) return true;
            if (_outgoing.Count >= MostWaitingOut) return false;
            _outgoing.Enqueue(message);
            return _isWaiting = true;
        }
    }

    /// <summary>From the network: a packet of the user's sound.</summary>
    public void OnAudio(object stream, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus)
    {
        Interlocked.Exchange(ref _lastPacket, _clock.GetTimestamp());
        // Packets of one client come one at a time. While another takes its place, two might: one of them is lost.
        if (IsMuted || Interlocked.Exchange(ref _putting, 1) != 0) return;
        if (_stream != stream) _receiver.Reset();
        _stream = stream;
        _receiver.Put(sequence, timestamp, opus);
        Volatile.Write(ref _putting, 0);
    }

    /// <summary>From the network: a data message. Beyond what the conversation can take in time it is dropped.</summary>
    public void OnData(ReadOnlySpan<byte> json) => Queue(json.ToArray());

    public void OnNotice(MediaNotice notice) => Queue(notice);

    /// <summary>A client takes the user's place: it learns where the conversation is.</summary>
    public void OnNewClient()
    {
        lock (_outgoingGate)
        {
            if (_callStarted is null) return;
            byte[][] later = [.. _outgoing.Where(message => message != _callStarted && message != _state)];
            _outgoing.Clear();
            _outgoing.Enqueue(_callStarted);
            if (_state is not null) _outgoing.Enqueue(_state);
            foreach (var message in later) _outgoing.Enqueue(message);
            _isWaiting = true;
        }
    }

    /// <summary>A connection of the user has ended, and others may follow.</summary>
    public void OnConnectionEnded(in PeerStatistics statistics)
    {
        lock (_connections) _connections.Add(statistics);
    }

    public MediaMeasures? Measure()
    {
        var current = _room.UserStatistics;     // takes the room's lock, under which connections end
        lock (_connections)
        {
            _connections.Add(current);
            return _connections.ToMeasures(_receiver.Statistics, InputRateHz);
        }
    }

    /// <summary>The user has left, is lost or was sent away. The first end stays.</summary>
    public void End(MediaEnd end) => _end.TrySetResult(end);

    public bool IsEnded => _end.Task.IsCompleted;

    public async Task<MediaEnd> RunAsync(IMediaSink sink, CancellationToken cancellationToken)
    {
        _sink = sink;
        _nextFrame = _clock.GetTimestamp();
        using var pacing = _pacer.Add(this);
        try
        {
            return await _end.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return MediaEnd.Cancelled;
        }
    }

    public async Task CloseAsync(string reason, bool mayReturn, CancellationToken cancellationToken)
    {
        try
        {
            if (_room.IsUserConnected)
            {
                var began = _clock.GetTimestamp();
                while (!TryFlush() && _clock.GetElapsedTime(began) < FlushLimit) await Task.Delay(FlushStep, _clock, cancellationToken);
                await Task.Delay(Linger, _clock, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // It closes without its last words.
        }
        _room.Close(mayReturn);
    }

    public ValueTask DisposeAsync()
    {
        End(MediaEnd.Cancelled);
        _metrics.Remove(_receiver);
        _receiver.Dispose();
        _agent.Dispose();
        return ValueTask.CompletedTask;
    }

    void IPaced.Tick(long timestamp)
    {
        while (_incoming.TryDequeue(out var next)) Deliver(next);
        if (timestamp - _nextFrame > MostLateFrames * _frameTicks) _nextFrame = timestamp;
        for (; timestamp >= _nextFrame; _nextFrame += _frameTicks)
        {
            _receiver.Take(_frame);
            _sink!.OnAudio(_frame);
        }
        _agent.Tick(timestamp);
        _ticks++;
        if (_isWaiting && _ticks % FlushTicks == 0) TryFlush();
        if (_ticks % SampleTicks == 0 && SilentFor < TimeSpan.FromSeconds(1)) _metrics.Sample(_receiver);
    }

    /// <summary>Each eighth sample tells enough.</summary>
    private void NotePeak(ReadOnlySpan<short> pcm)
    {
        var peak = 0;
        for (var i = 0; i < pcm.Length; i += 8) peak = Math.Max(peak, Math.Abs((int)pcm[i]));
        if (peak > _peak) _peak = peak;
    }

    private void Queue(object item)
    {
        if (Interlocked.Increment(ref _queued) <= MostWaitingIn) _incoming.Enqueue(item);
        else Interlocked.Decrement(ref _queued);
    }

    private void Deliver(object next)
    {
        Interlocked.Decrement(ref _queued);
        if (next is byte[] json) _sink!.OnData(json);
        else _sink!.OnNotice((MediaNotice)next);
    }

    /// <summary>What a client that comes later must know first.</summary>
    private void Remember(byte[] message)
    {
        if (message.AsSpan().StartsWith(StateMessage)) _state = message;
        else if (message.AsSpan().StartsWith(CallStartedMessage)) _callStarted = message;
    }

    /// <summary>Sends what waits. False: something still does.</summary>
    private bool TryFlush()
    {
        lock (_outgoingGate)
        {
            while (_outgoing.TryPeek(out var message))
            {
                if (!_room.TrySendData(message)) return false;
                _outgoing.Dequeue();
            }
            _isWaiting = false;
            return true;
        }
    }
}
