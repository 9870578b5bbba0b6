namespace VoiceGrains.Gateway.Limits;

/// <summary>The limits that refuse requests, as metrics and logs tell them apart.</summary>
internal enum LimitName : byte
{
    AccountRequests,
    KeyRequests,
    AddressRequests,
    ConcurrentCalls,
    CallRate,
    Throttle,
    Capacity,
    IncludedMinutes,
}
