namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>What a fake provider does wrong.</summary>
internal enum FakeVoiceFault
{
    None,
    /// <summary>Takes everything and says nothing.</summary>
    NeverAnswers,
    /// <summary>Accepts connections and does not answer their upgrade.</summary>
    NeverConnects,
    /// <summary>Falls silent in the middle of the first sentence.</summary>
    Stalls,
    /// <summary>The connection breaks within a message, in the middle of the first sentence.</summary>
    BreaksMidMessage,
    /// <summary>Closes in order, but in the middle of the first sentence.</summary>
    ClosesEarly,
    /// <summary>Closes with a reason in the middle of the first sentence.</summary>
    ClosesWithReason,
    /// <summary>Sends half a JSON.</summary>
    SendsGarbage,
    /// <summary>Sends a message without an end.</summary>
    SendsHugeMessage,
    /// <summary>Says, in its protocol's way, that the account's quota is used up.</summary>
    QuotaExceeded,
    /// <summary>Answers the upgrade with 429.</summary>
    TooManyConnections,
}
