using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>Why a call ended. Stored: numbers are never reused.</summary>
public enum EndReason : byte
{
    [JsonStringEnumMemberName("unjoined")] Unjoined = 0,
    [JsonStringEnumMemberName("hangup")] Hangup = 1,
    [JsonStringEnumMemberName("agent_hangup")] AgentHangup = 2,
    [JsonStringEnumMemberName("timeout")] Timeout = 3,
    [JsonStringEnumMemberName("connection_error")] ConnectionError = 4,
    [JsonStringEnumMemberName("system_error")] SystemError = 5,
}
