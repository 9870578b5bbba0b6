using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Throttles;

namespace VoiceGrains.Gateway.Throttles;

/// <summary><c>CallThrottle</c>.</summary>
internal sealed record ThrottleResponse(Guid ThrottleId, string Name, DateTimeOffset Created, IReadOnlyList<CallRate> Rules)
{
    public static ThrottleResponse From(CallThrottle throttle) => new(throttle.ThrottleId, throttle.Name, throttle.Created, throttle.Rules);
}
