using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Throttles;

/// <summary>Rules that an account makes for how fast calls are created that name it. All hold at once; without any it holds nothing back.</summary>
/// <param name="Name">At most 64 characters; unique in the account.</param>
public sealed record CallThrottle(Guid ThrottleId, string Name, DateTimeOffset Created, IReadOnlyList<CallRate> Rules);
