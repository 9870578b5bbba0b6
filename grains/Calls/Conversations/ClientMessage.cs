using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>A data message that a client, or the REST API for it, sent. Unknown fields are ignored, as protobuf JSON does; wrong types refuse the message.</summary>
internal abstract partial record ClientMessage
{
    // A prompt's worth; the REST body limit is larger than this.
    private const int LongestText = 64 * 1024;

    private ClientMessage() { }

    internal sealed record Ping(JsonNode? Timestamp) : ClientMessage;
    internal sealed record UserText(string Text, Urgency Urgency, string ThreadId) : ClientMessage
    {
        /// <summary>It was an <c>input_text_message</c>.</summary>
        public bool IsOlderForm { get; init; }
    }
    internal sealed record SetOutputMedium(MessageMedium Medium) : ClientMessage;
    internal sealed record ToolResult(ToolResultFields Fields) : ClientMessage;
    internal sealed record ForcedAgent(string Content, IReadOnlyList<ForcedToolCall> ToolCalls, IReadOnlyList<ToolResultFields> KnownResults, bool Uninterruptible, Urgency Urgency, string ThreadId) : ClientMessage;
    internal sealed record HangUp(string Message) : ClientMessage;

    internal sealed record ForcedToolCall(string Id, string Name, JsonObject Arguments);

    /// <summary>What a client answers to an invocation.</summary>
    internal sealed record ToolResultFields(
        string InvocationId, string? Result, string ResponseType, string? AgentReaction, string? ErrorType, string? ErrorMessage, JsonObject? UpdateCallState);

    /// <summary>Reads one message. The error names the field and what it must be.</summary>
    public static ClientMessage? Parse(JsonObject json, out string error)
    {
        var fields = new FieldReader(json);
        ClientMessage? message = fields.Text("type") switch
        {
            "ping" => new Ping(json["timestamp"]),
            "user_text_message" => new UserText(fields.Required("text"), fields.UrgencyOr("urgency", Urgency.Soon), fields.Text("threadId") ?? "UI"),
            "input_text_message" => new UserText(fields.Required("text"), fields.Flag("deferResponse") ? Urgency.Later : Urgency.Soon, "UI") { IsOlderForm = true },
            "set_output_medium" => new SetOutputMedium(fields.Medium("medium")),
            "client_tool_result" or "data_connection_tool_result" => new ToolResult(fields.Result(json)),
            "forced_agent_message" => Forced(fields),
            "spawn_thread" => Spawn(fields),
            "hang_up" => new HangUp(fields.Text("message") ?? ""),
            null => fields.Fail("type: is required and must be a string."),
            var other => fields.Fail($"type: '{JsonLeaf.Shorten(other)}' is not known."),
        };
        error = fields.Error ?? "";
        if (message is SpawnThread spawn && fields.Error is not null) return new RefusedSpawn(spawn.ThreadId, error);
        return fields.Error is null ? message : null;
    }

    /// <summary>Reads UTF-8 JSON; the error says why it is not a message.</summary>
    public static ClientMessage? Parse(ReadOnlySpan<byte> utf8, out string error)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 32 });
            if (JsonNode.Parse(ref reader) is JsonObject json && !reader.Read())
            {
                JsonText.ReadAll(json);     // what is kept or sent on of it is written out much later
                return Parse(json, out error);
            }
            error = "The message is not a JSON object.";
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            error = "The message is not valid JSON.";
        }
        return null;
    }

    private static ForcedAgent Forced(FieldReader fields)
    {
        var calls = fields.List("toolCalls", 16, (item, at) => new ForcedToolCall(
            item.Text("id") ?? Guid.NewGuid().ToString(), item.Required("name"), item.Object("arguments") ?? []));
        var results = fields.List("knownToolResults", 16, (item, at) => item.Result(at));
        return new(fields.Text("content") ?? "", calls, results, fields.Flag("uninterruptible"), fields.UrgencyOr("urgency", Urgency.Immediate), fields.Text("threadId") ?? "UI");
    }

    /// <summary>Typed access to a message's fields that notes the first thing that is wrong.</summary>
    private sealed partial class FieldReader(JsonObject json, string path = "", FieldReader? root = null)
    {
        private string? _error;

        public string? Error => root is null ? _error : root.Error;

        public ClientMessage? Fail(string error)
        {
            if (root is null) _error ??= error; else root.Fail(path + error);
            return null;
        }

        public string? Text(string name)
        {
            if (json[name] is not { } node) return null;
            if (node is JsonValue value && value.TryGetValue<string>(out var text))
            {
                if (text.Length <= LongestText) return text;
                Fail($"{name}: must be at most {LongestText} characters.");
                return null;
            }
            Fail($"{name}: must be a string.");
            return null;
        }

        public string Required(string name)
        {
            if (Text(name) is { Length: > 0 } text) return text;
            Fail($"{name}: is required and must be a string.");
            return "";
        }

        public bool Flag(string name)
        {
            if (json[name] is not { } node) return false;
            if (node is JsonValue value && value.TryGetValue<bool>(out var flag)) return flag;
            Fail($"{name}: must be true or false.");
            return false;
        }

        public JsonObject? Object(string name)
        {
            if (json[name] is not { } node) return null;
            if (node is JsonObject found) return (JsonObject)found.DeepClone();
            Fail($"{name}: must be an object.");
            return null;
        }

        public Urgency UrgencyOr(string name, Urgency otherwise)
        {
            switch (Text(name)?.ToLowerInvariant())
            {
                case null or "" or "urgency_unspecified": return otherwise;
                case "immediate" or "urgency_immediate": return Urgency.Immediate;
                case "soon" or "urgency_soon": return Urgency.Soon;
                case "later" or "urgency_later": return Urgency.Later;
                default:
                    Fail($"{name}: must be immediate, soon or later.");
                    return otherwise;
            }
        }

        public MessageMedium Medium(string name)
        {
            switch (Text(name)?.ToLowerInvariant())
            {
                case "voice" or "message_medium_voice": return MessageMedium.Voice;
                case "text" or "message_medium_text": return MessageMedium.Text;
                default:
                    Fail($"{name}: must be voice or text.");
                    return MessageMedium.Unspecified;
            }
        }

        public ToolResultFields Result(JsonObject at) => new(
            Required("invocationId"), Text("result"), Text("responseType") ?? "tool-response", Text("agentReaction"), Text("errorType"), Text("errorMessage"), Object("updateCallState"));

        public IReadOnlyList<T> List<T>(string name, int most, Func<FieldReader, JsonObject, T> read)
        {
            if (json[name] is not { } node) return [];
            if (node is not JsonArray array || array.Count > most || array.Any(item => item is not JsonObject))
            {
                Fail($"{name}: must be a list of at most {most} objects.");
                return [];
            }
            return [.. array.Select((item, i) => read(new FieldReader(item!.AsObject(), $"{name}[{i}].", this), item!.AsObject()))];
        }
    }
}
