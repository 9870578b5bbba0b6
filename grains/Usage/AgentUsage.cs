using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Usage;

/// <summary><c>AgentUsage</c>: the calls of one agent by the day of their creation. Days without calls are left out.</summary>
public sealed record AgentUsage(CallAgent Agent, IReadOnlyList<AgentDailyUsage> Usage);

/// <summary><c>AgentDailyUsage</c>.</summary>
public sealed record AgentDailyUsage(DateOnly Date, double BilledMinutes, int Calls);
