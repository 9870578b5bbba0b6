using System.Threading.Channels;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>Tells the worker of this process that the outbox may hold something due. A second signal before the first was seen adds nothing.</summary>
internal sealed class DeliverySignal
{
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Raise() => _signal.Writer.TryWrite(true);

    public async Task WaitAsync(CancellationToken cancellationToken) => await _signal.Reader.ReadAsync(cancellationToken);
}
