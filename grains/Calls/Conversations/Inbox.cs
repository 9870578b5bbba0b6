using System.Text.Json.Nodes;
using System.Threading.Channels;
using VoiceGrains.Grains.Calls.DataConnections;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// The queue of a conversation. What the far end sends is bounded here (2 s of audio, 64 data messages and pressed keys wait at most, and 64 of the data connection; more is
/// dropped and counted); what the call itself produces is bounded by its sources and never dropped.
/// </summary>
internal sealed class Inbox(int inputSampleRateHz) : IMediaSink, IDataConnectionListener
{
    private const int MostDataMessages = 64;
    private readonly Channel<ConversationEvent> _events = Channel.CreateUnbounded<ConversationEvent>(new() { SingleReader = true });
    private readonly FrameBuffers<short> _buffers = new();
    private readonly int _mostSamples = 2 * inputSampleRateHz;
    private int _samples;
    private int _dataMessages;
    private long _droppedSamples;
    private int _droppedMessages;
    private int _connectionMessages;

    public ChannelReader<ConversationEvent> Reader => _events.Reader;
    public ChannelWriter<ConversationEvent> Writer => _events.Writer;

    /// <summary>Samples dropped since the last look.</summary>
    public long TakeDroppedSamples() => Interlocked.Exchange(ref _droppedSamples, 0);

    /// <summary>Data messages dropped since the last look.</summary>
    public int TakeDroppedMessages() => Interlocked.Exchange(ref _droppedMessages, 0);

    public void OnAudio(ReadOnlySpan<short> pcm)
    {
        if (pcm.IsEmpty) return;
        if (Interlocked.Add(ref _samples, pcm.Length) > _mostSamples && _samples > pcm.Length)
        {
            Interlocked.Add(ref _samples, -pcm.Length);
            Interlocked.Add(ref _droppedSamples, pcm.Length);
            return;
        }
        var buffer = _buffers.Rent(pcm.Length);
        pcm.CopyTo(buffer);
        if (!_events.Writer.TryWrite(new(EventKind.Audio, buffer, pcm.Length))) ReturnAudio(buffer, pcm.Length);
    }

    /// <summary>Gives back the buffer of an <see cref="EventKind.Audio"/> event.</summary>
    public void ReturnAudio(short[] buffer, int samples)
    {
        _buffers.Return(buffer);
        Interlocked.Add(ref _samples, -samples);
    }

    public void OnData(ReadOnlySpan<byte> json)
    {
        if (TryReserve(ref _dataMessages)) _events.Writer.TryWrite(new(EventKind.ClientData, json.ToArray()));
    }

    /// <summary>A data message from the REST API; false when too many wait or the conversation is over.</summary>
    public bool TryPost(JsonObject message) => TryReserve(ref _dataMessages) && _events.Writer.TryWrite(new(EventKind.ServerData, message));

    /// <summary>A data message was taken off the queue.</summary>
    public void ReleaseMessage() => Interlocked.Decrement(ref _dataMessages);

    public void OnDtmf(char digit)
    {
        if (DtmfTones.IsDigit(digit) && TryReserve(ref _dataMessages)) _events.Writer.TryWrite(new(EventKind.Dtmf, null, digit));
    }

    public void OnNotice(MediaNotice notice)
    {
        if (TryReserve(ref _dataMessages)) _events.Writer.TryWrite(new(EventKind.Notice, notice));
    }

    /// <summary>Counted by itself: a busy data connection does not cost the client its messages.</summary>
    public void OnConnectionData(ReadOnlySpan<byte> json)
    {
        if (TryReserve(ref _connectionMessages)) _events.Writer.TryWrite(new(EventKind.ConnectionData, json.ToArray()));
    }

    /// <summary>As rare as the connection's pauses make it.</summary>
    public void OnConnectionNotice(ConnectionNotice notice) => _events.Writer.TryWrite(new(EventKind.ConnectionNotice, notice));

    /// <summary>A message of the data connection was taken off the queue.</summary>
    public void ReleaseConnectionMessage() => Interlocked.Decrement(ref _connectionMessages);

    private bool TryReserve(ref int waiting)
    {
        if (Interlocked.Increment(ref waiting) <= MostDataMessages) return true;
        Interlocked.Decrement(ref waiting);
        Interlocked.Increment(ref _droppedMessages);
        return false;
    }
}
