using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls.Limits;

/// <summary>How many calls the whole cluster takes, whoever's they are; section <c>Calls:Capacity</c>.</summary>
public sealed class CallCapacityOptions
{
    /// <summary>Calls at once over all accounts. Default 0: no limit.</summary>
    [Range(0, 10_000_000)] public int MaxCalls { get; set; }

    /// <summary>How many of them are kept for calls with priority (<c>Accounts:Plans:NAME:PriorityCalls</c>). Default 0.</summary>
    [Range(0, 10_000_000)] public int PriorityReserve { get; set; }
}
