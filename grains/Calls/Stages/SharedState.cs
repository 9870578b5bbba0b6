using System.Text;
using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Calls.Stages;

/// <summary>
/// Rules of the state that a call's tools share (<c>initialState</c>, <c>updateCallState</c>): an update's keys take the place of theirs, whole; others stay.
/// The model never sees it.
/// </summary>
internal static class SharedState
{
    /// <summary>As JSON, in UTF-8: it is copied into every message that changes it.</summary>
    public const int LargestBytes = 64 * 1024;

    /// <summary>Why a state cannot be kept; null when it can.</summary>
    public static string? ProblemOf(JsonObject state)
    {
        var json = state.ToJsonString();
        if (json.Contains("\\u0000", StringComparison.Ordinal)) return "Null characters are not allowed.";
        return Encoding.UTF8.GetByteCount(json) <= LargestBytes ? null : $"Ensure this field has no more than {LargestBytes} bytes.";
    }

    /// <summary>The state after an update, null for none. The arguments stay as they are.</summary>
    public static JsonObject Merge(JsonObject state, JsonObject? update)
    {
        var merged = (JsonObject)state.DeepClone();
        foreach (var (key, value) in update ?? []) merged[key] = value?.DeepClone();
        return merged;
    }
}
