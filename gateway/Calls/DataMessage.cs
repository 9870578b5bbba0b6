using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Calls;

/// <summary><c>SendCallDataMessage</c>: all that is described of it. The other fields are its type's.</summary>
internal sealed record CallDataMessage
{
    public required string Type { get; init; }
}

/// <summary>The data messages that may be sent over REST.</summary>
internal static class DataMessage
{
    /// <summary>What a conversation takes: it would leave out more, and could tell of that in the call's events only.</summary>
    private const int LongestText = 64 * 1024, MostTools = 16;

    /// <summary>Checks a message by its type.</summary>
    /// <exception cref="InvalidInputException">It is none of the three, or breaks its type's contract.</exception>
    public static JsonObject Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("type", out var type)) throw new InvalidInputException("type", "This field is required.");
        switch (type.ValueKind == JsonValueKind.String ? type.GetString() : null)
        {
            case "user_text_message": JsonRequestReader.Read<UserTextMessage>(body); break;
            case "hang_up": JsonRequestReader.Read<HangUpMessage>(body); break;
            case "forced_agent_message": CheckForced(JsonRequestReader.Read<ForcedAgentMessage>(body)); break;
            default: throw new InvalidInputException("type", "Must be 'forced_agent_message', 'hang_up' or 'user_text_message'.");
        }
        return JsonObject.Create(body)!;
    }

    private static void CheckForced(ForcedAgentMessage message)
    {
        if (string.IsNullOrEmpty(message.Content) && message.ToolCalls is not { Count: > 0 })
            throw new InvalidInputException(InputErrors.NonField, "One of 'content' and 'toolCalls' must be set.");
    }

    private sealed record UserTextMessage
    {
        public string? Type { get; init; }
        [Required, MinLength(1, ErrorMessage = "This field may not be blank."), MaxLength(LongestText)] public string? Text { get; init; }
        [RegularExpression("^(immediate|soon|later)$")] public string? Urgency { get; init; }
        [MaxLength(64)] public string? ThreadId { get; init; }
    }

    private sealed record HangUpMessage
    {
        public string? Type { get; init; }
        [MaxLength(LongestText)] public string? Message { get; init; }
    }

    private sealed record ForcedAgentMessage
    {
        public string? Type { get; init; }
        [MaxLength(LongestText)] public string? Content { get; init; }
        [MaxLength(MostTools)] public IReadOnlyList<ForcedToolCall>? ToolCalls { get; init; }
        [MaxLength(MostTools)] public IReadOnlyList<JsonObject>? KnownToolResults { get; init; }
        public bool? Uninterruptible { get; init; }
        [RegularExpression("^(immediate|soon)$")] public string? Urgency { get; init; }
        [MaxLength(64)] public string? ThreadId { get; init; }
    }

    private sealed record ForcedToolCall
    {
        public string? Id { get; init; }
        [Required] public string? Name { get; init; }
        public JsonNode? Arguments { get; init; }
    }
}
