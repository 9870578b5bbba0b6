using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>MESSAGE_MEDIUM_*</c>: how a message was, or is to be, conveyed.</summary>
public enum MessageMedium : byte
{
    [JsonStringEnumMemberName("MESSAGE_MEDIUM_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("MESSAGE_MEDIUM_VOICE")] Voice = 1,
    [JsonStringEnumMemberName("MESSAGE_MEDIUM_TEXT")] Text = 2,
}
