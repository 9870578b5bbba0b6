using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations.Threads;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary><c>spawn_thread</c>: its own answer tells what is wrong with one.</summary>
internal abstract partial record ClientMessage
{
    private const int MostAdditionalMessages = 64;
    private const int MostToolNames = 256;
    private const int LongestThreadId = 64;

    /// <param name="ThreadId">Made up where the client gave none.</param>
    /// <param name="ParentId"><c>UI</c> for the main conversation.</param>
    /// <param name="Replaces">A thread of the same id gives way.</param>
    /// <param name="Messages">User texts and forced agent messages; only the last may hold tool calls without results.</param>
    internal sealed record SpawnThread(
        string ThreadId, string ParentId, bool Replaces, IReadOnlyList<ClientMessage> Messages, ThreadToolFilter ToolFilter, ThreadLimits Limits) : ClientMessage
    {
        /// <summary>Length of all messages.</summary>
        public long Characters => Messages.Sum(message => message switch
        {
            UserText text => text.Text.Length,
            ForcedAgent forced => forced.Content.Length + forced.KnownResults.Sum(result => result.Result?.Length ?? 0),
            _ => 0L,
        });
    }

    /// <summary>A <c>spawn_thread</c> that cannot be.</summary>
    internal sealed record RefusedSpawn(string ThreadId, string Reason) : ClientMessage;

    private static SpawnThread Spawn(FieldReader fields)
    {
        var messages = fields.List("additionalMessages", MostAdditionalMessages, (item, _) => Additional(item));
        for (var i = 0; i < messages.Count; i++) CheckResults(fields, messages[i] as ForcedAgent, $"additionalMessages[{i}]", i == messages.Count - 1);
        return new SpawnThread(
            fields.Name("newThreadId", LongestThreadId) ?? Guid.NewGuid().ToString(), fields.Name("parentThreadId", LongestThreadId) ?? CallThreads.MainId,
            ReadIfExists(fields), messages, ReadFilter(fields.Part("toolFilter")), ReadLimits(fields.Part("limits")));
    }

    private static ClientMessage Additional(FieldReader fields)
    {
        switch (fields.Text("type"))
        {
            case "user_text_message": return new UserText(fields.Required("text"), Urgency.Soon, CallThreads.MainId);
            case "forced_agent_message": return Forced(fields);
            default:
                fields.Fail("type: must be user_text_message or forced_agent_message.");
                return new UserText("", Urgency.Soon, CallThreads.MainId);
        }
    }

    private static void CheckResults(FieldReader fields, ForcedAgent? forced, string at, bool isLast)
    {
        if (forced is null) return;
        if (!isLast && forced.ToolCalls.FirstOrDefault(call => !forced.KnownResults.Any(result => result.InvocationId == call.Id)) is { } open)
            fields.Fail($"{at}.knownToolResults: the result of '{JsonLeaf.Shorten(open.Name)}' is missing; only the last message may leave results open.");
        foreach (var result in forced.KnownResults)
            if (ThreadOutcome.RefusalOf(result.ResponseType) is { } refusal) fields.Fail($"{at}.knownToolResults: {refusal}");
    }

    private static bool ReadIfExists(FieldReader fields)
    {
        switch (fields.Text("ifExists")?.ToLowerInvariant())
        {
            case null or "" or "reject": return false;
            case "replace": return true;
            default:
                fields.Fail("ifExists: must be reject or replace.");
                return false;
        }
    }

    private static ThreadToolFilter ReadFilter(FieldReader? fields)
        => fields is null ? ThreadToolFilter.All : new(fields.Names("allowedTools", MostToolNames), fields.Names("disallowedTools", MostToolNames) ?? []);

    private static ThreadLimits ReadLimits(FieldReader? fields) => fields is null ? ThreadLimits.None : new(
        fields.Count("threadOutputTokenLimit"), fields.Count("threadFuzzyInputTokenLimit"), fields.Count("generationLimit"),
        fields.Count("generationOutputTokenLimit"), fields.Count("generationFuzzyInputTokenLimit"));

    private sealed partial class FieldReader
    {
        /// <summary>An object's fields; null when it is absent.</summary>
        public FieldReader? Part(string name) => Object(name) is { } part ? new FieldReader(part, $"{name}.", this) : null;

        /// <summary>A short text; null when it is absent or empty.</summary>
        public string? Name(string name, int longest)
        {
            if (Text(name) is not { Length: > 0 } text) return null;
            if (text.Length <= longest && !text.Any(char.IsControl)) return text;
            Fail($"{name}: must be at most {longest} characters, none of them a control character.");
            return null;
        }

        public IReadOnlyList<string>? Names(string name, int most)
        {
            if (json[name] is not { } node) return null;
            if (node is JsonArray array && array.Count <= most && array.All(item => item is JsonValue value && value.TryGetValue<string>(out _)))
                return [.. array.Select(item => item!.GetValue<string>())];
            Fail($"{name}: must be a list of at most {most} strings.");
            return null;
        }

        /// <summary>A whole number of at least 1; null when it is absent.</summary>
        public long? Count(string name)
        {
            if (json[name] is not { } node) return null;
            if (node is JsonValue value && value.TryGetValue<long>(out var count) && count >= 1) return count;
            Fail($"{name}: must be a whole number of at least 1.");
            return null;
        }
    }
}
