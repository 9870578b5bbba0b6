namespace VoiceGrains.GrainRuntime.Streams.RabbitMq;

/// <summary>
/// What this process produces on one stream. Knows whether anybody elsewhere listens: the broker returns what nobody is bound to, and a process
/// that begins to listen asks. Until it does, an event costs no more than its number.
/// </summary>
/// <remarks>
/// The two reports may cross: an event is sent, somebody binds and asks, and only then the event is returned. Hence returns of events from before
/// the last question count for nothing, nor do any from before questions can reach us. Members are called under <see cref="Gate"/>.
/// </remarks>
internal sealed class StreamProducer(StreamAddress address, StreamSource source, long now)
{
    // An unheard producer tries again after this, should a question have been lost.
    private static readonly TimeSpan ProbePeriod = TimeSpan.FromSeconds(10);

    private long _askableFrom = long.MaxValue;
    private bool _isHeard = true;
    private long _lastSent = now;

    public Lock Gate { get; } = new();

    public StreamAddress Address => address;

    public StreamSource Source => source;

    /// <summary>The number of the next event.</summary>
    public long Next { get; private set; }

    public long LastUsed { get; private set; } = now;

    /// <summary>Whether events go to the broker, where somebody may be bound to them.</summary>
    public bool IsHeard => _isHeard;

    /// <summary>Done: whoever goes on begins anew.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Takes a number for an event.</summary>
    /// <returns>Whether it is to be sent.</returns>
    public bool TakeNumber(TimeProvider clock, out long number)
    {
        number = Next++;
        LastUsed = clock.GetTimestamp();
        if (!_isHeard && clock.GetElapsedTime(_lastSent, LastUsed) < ProbePeriod)
            return false;
        _lastSent = LastUsed;
        return true;
    }

    /// <summary>Somebody asks, or questions can reach us from here on: what is sent now counts.</summary>
    public void OnAskable()
    {
        _isHeard = true;
        _askableFrom = Next;
    }

    /// <summary>Questions do not reach us.</summary>
    public void OnDisconnected()
    {
        _isHeard = true;
        _askableFrom = long.MaxValue;
    }

    /// <summary>Nobody was bound when that number was sent.</summary>
    public void OnReturned(long number)
    {
        if (number >= _askableFrom)
            _isHeard = false;
    }
}
