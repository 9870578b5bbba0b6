using System.Buffers;
using System.Net.WebSockets;
using System.Threading.Channels;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Media;

namespace VoiceGrains.Silo.WebSockets;

/// <summary>
/// The <c>serverWebSocket</c> medium: binary messages are s16le mono PCM, text messages are data messages (ultravox-docs, "WebSocket Integration").
/// </summary>
/// <remarks>
/// Sending goes through one bounded queue: 2 s of audio beyond the client's buffer and 256 data messages, then the newest is refused.
/// A client that reads nothing for 10 s is lost.
/// </remarks>
internal sealed class WebSocketPort : IMediaPort
{
    private const int LongestAudioMessage = 1024 * 1024;
    private const int LongestDataMessage = 64 * 1024;
    private const int MostQueuedData = 256;
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);
    private static readonly byte[] ClearBufferMessage = "{\"type\":\"playback_clear_buffer\"}"u8.ToArray();

    private readonly WebSocket _socket;
    private readonly TimeProvider _clock;
    private readonly bool _sendsClear;
    private readonly Channel<Outgoing> _queue = Channel.CreateUnbounded<Outgoing>(new() { SingleReader = true });
    private readonly FrameBuffers<byte> _audioBuffers = new();
    private readonly int _mostQueuedBytes;
    private readonly Task _sending;
    private Task<MediaEnd>? _receiving;
    private int _queuedBytes;
    private int _queuedData;
    private int _generation;
    private long _sendStarted;

    public WebSocketPort(WebSocket socket, WebSocketPortOptions options, TimeProvider clock)
    {
        (_socket, _clock, _sendsClear) = (socket, clock, options.SendsClearBuffer);
        (InputSampleRateHz, OutputSampleRateHz, OutputBuffer) = (options.InputSampleRateHz, options.OutputSampleRateHz, options.ClientBuffer);
        _mostQueuedBytes = (int)((OutputBuffer.TotalSeconds + 2) * OutputSampleRateHz) * sizeof(short);
        _sending = SendAllAsync();
    }

    public int InputSampleRateHz { get; }

    public int OutputSampleRateHz { get; }

    public TimeSpan OutputBuffer { get; }

    // What a client that gets no clear message has buffered will be heard.
    public bool CanClear => _sendsClear;

    public bool TrySendAudio(ReadOnlySpan<short> pcm)
    {
        AbortIfStuck();
        var bytes = pcm.Length * sizeof(short);
        if (Interlocked.Add(ref _queuedBytes, bytes) > _mostQueuedBytes)
        {
            Interlocked.Add(ref _queuedBytes, -bytes);
            return false;
        }
        var buffer = _audioBuffers.Rent(bytes);
        Pcm.ToBytes(pcm, buffer);
        return TryQueue(new(buffer, bytes, IsAudio: true, Volatile.Read(ref _generation)));
    }

    public bool TrySendData(ReadOnlyMemory<byte> json)
    {
        if (Interlocked.Increment(ref _queuedData) > MostQueuedData)
        {
            Interlocked.Decrement(ref _queuedData);
            return false;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(json.Length);
        json.CopyTo(buffer);
        return TryQueue(new(buffer, json.Length, IsAudio: false, 0));
    }

    public void ClearAudio()
    {
        Interlocked.Increment(ref _generation);
        if (_sendsClear) TrySendData(ClearBufferMessage);
    }

    public Task<MediaEnd> RunAsync(IMediaSink sink, CancellationToken cancellationToken) => _receiving = ReceiveAsync(sink, cancellationToken);

    public async Task CloseAsync(string reason, bool mayReturn, CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        try
        {
            await _sending.WaitAsync(cancellationToken);
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await _socket.CloseOutputAsync(mayReturn ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.NormalClosure, reason, cancellationToken);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(CloseTimeout);
            await AwaitClientsCloseAsync(patience.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            _socket.Abort();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        if (!_sending.IsCompleted) _socket.Abort();
        await _sending;
        _socket.Dispose();
    }

    private async Task<MediaEnd> ReceiveAsync(IMediaSink sink, CancellationToken cancellationToken)
    {
        var receiver = new WebSocketReceiver(_socket, sink, LongestAudioMessage, LongestDataMessage);
        try
        {
            return await receiver.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return MediaEnd.Cancelled;
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            return MediaEnd.Lost;
        }
    }

    /// <summary>Reads on until the client has answered the close: dropping a connection with unread sound in it would take what was sent last along.</summary>
    private async Task AwaitClientsCloseAsync(CancellationToken cancellationToken)
    {
        if (_receiving is not null) await _receiving.WaitAsync(cancellationToken);
        var rest = new byte[16 * 1024];
        while (_socket.State == WebSocketState.CloseSent) await _socket.ReceiveAsync(rest.AsMemory(), cancellationToken);
    }

    private async Task SendAllAsync()
    {
        await foreach (var item in _queue.Reader.ReadAllAsync())
        {
            try
            {
                if (!item.IsAudio || item.Generation == Volatile.Read(ref _generation)) await SendAsync(item);
            }
            catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // The receive side reports the loss; what is still queued drains here.
                _socket.Abort();
            }
            finally
            {
                Release(item);
            }
        }
    }

    private bool TryQueue(in Outgoing item)
    {
        if (_queue.Writer.TryWrite(item)) return true;
        Release(item);      // closed
        return false;
    }

    private void Release(in Outgoing item)
    {
        if (item.IsAudio)
        {
            _audioBuffers.Return(item.Buffer);
            Interlocked.Add(ref _queuedBytes, -item.Length);
        }
        else
        {
            ArrayPool<byte>.Shared.Return(item.Buffer);
            Interlocked.Decrement(ref _queuedData);
        }
    }

    private async ValueTask SendAsync(Outgoing item)
    {
        if (_socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        Interlocked.Exchange(ref _sendStarted, _clock.GetTimestamp());
        var type = item.IsAudio ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
        await _socket.SendAsync(item.Buffer.AsMemory(0, item.Length), type, endOfMessage: true, CancellationToken.None);
        Interlocked.Exchange(ref _sendStarted, 0);
    }

    /// <summary>Called from the pacer while there is something to send, which saves a timer per send.</summary>
    private void AbortIfStuck()
    {
        var started = Interlocked.Read(ref _sendStarted);
        if (started != 0 && _clock.GetElapsedTime(started) > SendTimeout) _socket.Abort();
    }

    private readonly record struct Outgoing(byte[] Buffer, int Length, bool IsAudio, int Generation);
}
