namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>Remembers the last messages, so that one that is delivered twice is handled once. Safe for use from several threads.</summary>
internal sealed class DuplicateWindow(int size)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _seen = new(size);
    private readonly Queue<string> _order = new(size);

    /// <summary>False when the message has been here before.</summary>
    public bool TryAdd(string messageId)
    {
        lock (_gate)
        {
            if (!_seen.Add(messageId))
                return false;
            if (_order.Count == size)
                _seen.Remove(_order.Dequeue());
            _order.Enqueue(messageId);
            return true;
        }
    }
}
