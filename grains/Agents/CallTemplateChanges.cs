using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;

namespace VoiceGrains.Grains.Agents;

/// <summary>How a change is laid over a template: a field that is given replaces the old one whole, null goes back to the default, others stay.</summary>
public static class CallTemplateChanges
{
    private static readonly string[] Times = ["created", "updated"];

    /// <summary>Of two fields that exclude each other the given one wins: naming a voice ends an external one, and the reverse.</summary>
    private static readonly (string Given, string[] Ended)[] Replaced = [("voice", ["externalVoice"]), ("externalVoice", ["voice", "voiceOverrides"])];

    public static CallTemplate Apply(CallTemplate template, JsonObject changes)
    {
        var result = JsonSerializer.SerializeToNode(template, WireJson.Options)!.AsObject();
        // Overrides are about the voice that they were given with.
        if (changes.TryGetPropertyValue("voice", out var voice) && !JsonNode.DeepEquals(voice, result["voice"])) result["voiceOverrides"] = null;
        foreach (var (given, ended) in Replaced)
        {
            if (changes[given] is null || changes[given] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length == 0) continue;
            foreach (var name in ended) result[name] = null;
        }
        foreach (var (name, value) in changes)
            if (!Times.Contains(name)) result[name] = value?.DeepClone();
        return result.Deserialize<CallTemplate>(WireJson.Options)!;
    }
}
