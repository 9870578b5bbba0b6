using VoiceGrains.GrainRuntime.Calls;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>A request that another process is to answer.</summary>
internal sealed class PendingRequest(Invocation request, string correlationId)
{
    private HashSet<string>? _refused;

    public Invocation Request => request;

    public string CorrelationId => correlationId;

    /// <summary>It has been given to the broker: if the broker or the silo is lost now, nobody knows whether it was done.</summary>
    public bool Sent { get; set; }

    /// <summary>Where it went last, as a routing key.</summary>
    public string Destination { get; set; } = "";

    /// <summary>The silo that has it, once that is known.</summary>
    public string? Silo { get; private set; }

    /// <summary>Timestamp of when <see cref="Silo"/> became known.</summary>
    public long SiloKnownAt { get; private set; }

    /// <summary>How often it has been sent.</summary>
    public int Attempts { get; set; }

    /// <summary>The silos that would not activate its grain.</summary>
    public IReadOnlySet<string> Refused => _refused ??= [];

    /// <summary>No silo would take it, and the members have been looked up anew since.</summary>
    public bool LookedAgain { get; set; }

    /// <summary>Why the last of them would not.</summary>
    public string? Reason { get; private set; }

    /// <summary>One of them was full.</summary>
    public bool WasForRoom { get; private set; }

    public void GoesTo(string? silo, long now) => (Silo, SiloKnownAt) = (silo, now);

    public void Refuse(string silo, string? reason)
    {
        (_refused ??= []).Add(silo);
        Reason = reason ?? Reason;
        WasForRoom |= WireProtocol.IsForRoom(reason);
    }

    /// <summary>Lets all silos be asked again.</summary>
    public void ForgetRefusals() => _refused = null;
}
