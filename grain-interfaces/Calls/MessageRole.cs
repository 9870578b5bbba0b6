using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.Message.role</c>.</summary>
public enum MessageRole : byte
{
    [JsonStringEnumMemberName("MESSAGE_ROLE_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("MESSAGE_ROLE_USER")] User = 1,
    [JsonStringEnumMemberName("MESSAGE_ROLE_AGENT")] Agent = 2,
    [JsonStringEnumMemberName("MESSAGE_ROLE_TOOL_CALL")] ToolCall = 3,
    [JsonStringEnumMemberName("MESSAGE_ROLE_TOOL_RESULT")] ToolResult = 4,
}
