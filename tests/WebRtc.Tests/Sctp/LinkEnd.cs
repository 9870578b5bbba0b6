using System.Collections.Concurrent;
using System.Text;
using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

/// <summary>One end of a <see cref="PacketLink"/>: keeps what its association said.</summary>
internal sealed class LinkEnd : ISctpSink
{
    private readonly PacketLink _link;
    private int _callbacks;

    internal LinkEnd(PacketLink link, bool isDtlsClient, SctpOptions options, TimeProvider clock)
    {
        _link = link;
        Association = new SctpAssociation(isDtlsClient, this, options, clock);
    }

    internal SctpAssociation Association { get; }
    internal List<DataChannel> OwnChannels { get; } = [];
    internal ConcurrentQueue<DataChannel> Channels { get; } = [];
    internal ConcurrentQueue<DataChannel> ClosedChannels { get; } = [];
    internal ConcurrentQueue<(string Label, byte[] Bytes, bool IsBinary)> Messages { get; } = [];
    internal ConcurrentQueue<string> Closed { get; } = [];
    internal ConcurrentQueue<string> Faults { get; } = [];
    internal IEnumerable<string> Texts => Messages.Select(message => Encoding.UTF8.GetString(message.Bytes));

    /// <summary>While set, each message waits for it: a slow reader.</summary>
    internal ManualResetEventSlim? Brake { get; set; }
    internal Action<DataChannel>? Received { get; set; }

    public void Send(ReadOnlySpan<byte> packet) => _link.Send(this, packet);

    public void OnChannel(DataChannel channel) => Alone(() => Channels.Enqueue(channel));

    public void OnMessage(DataChannel channel, ReadOnlySpan<byte> message, bool isBinary)
    {
        var bytes = message.ToArray();
        Alone(() =>
        {
            Brake?.Wait(TimeSpan.FromSeconds(20));
            Messages.Enqueue((channel.Label, bytes, isBinary));
            Received?.Invoke(channel);
        });
    }

    public void OnChannelClosed(DataChannel channel) => Alone(() => ClosedChannels.Enqueue(channel));

    public void OnClosed(string reason) => Alone(() => Closed.Enqueue(reason));

    private void Alone(Action action)
    {
        if (Interlocked.Increment(ref _callbacks) != 1)
            Faults.Enqueue("Two callbacks at once.");
        action();
        Interlocked.Decrement(ref _callbacks);
    }
}
