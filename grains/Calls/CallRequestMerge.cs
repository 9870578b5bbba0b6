using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Lays a request over what it starts from, an agent's template or a prior call: a field that the request sets takes the place of the whole field below.
/// The messages share their field names, so this works on their JSON.
/// </summary>
public static class CallRequestMerge
{
    /// <param name="template">With its templates filled.</param>
    /// <param name="toolNames">The model-facing names of the template's tools, null for those that no longer exist.</param>
    /// <param name="request">What the call sets.</param>
    /// <exception cref="InvalidInputException">The overrides do not fit the template.</exception>
    public static StartCallRequest OverTemplate(CallTemplate template, IReadOnlyList<string?> toolNames, StartAgentCallRequest request)
    {
        if (request.VoiceOverrides is not null && string.IsNullOrEmpty(request.Voice)) throw new InvalidInputException("voiceOverrides", "Only valid when 'voice' is set.");
        var merged = Merge(ToJson(template), ToJson(request)).Deserialize<StartCallRequest>(WireJson.Options)!;
        return request.ToolOverrides is { } overrides ? merged with { SelectedTools = Apply(overrides, merged.SelectedTools ?? [], toolNames) } : merged;
    }

    /// <param name="prior">The call to go on from: as it was in its last stage.</param>
    /// <param name="history">All messages of that stage.</param>
    /// <exception cref="InvalidInputException">The request brings a history of its own.</exception>
    public static StartCallRequest OverPriorCall(CallSnapshot prior, IReadOnlyList<Message> history, StartCallRequest request)
    {
        if (request.InitialMessages is not null) throw new InvalidInputException("initialMessages", "May not be set together with 'priorCallId'.");
        return Merge(ToJson(AsRequest(prior)), ToJson(request)).Deserialize<StartCallRequest>(WireJson.Options)! with { InitialMessages = history };
    }

    private static JsonObject Merge(JsonObject below, JsonObject above)
    {
        if (above["voice"] is JsonValue voice && voice.GetValue<string>().Length == 0) above.Remove("voice");      // as good as none
        // Fields that speak of the same thing go together.
        if (above.ContainsKey("voice") || above.ContainsKey("externalVoice")) RemoveAll(below, "voice", "externalVoice", "voiceOverrides");
        if (above.ContainsKey("firstSpeaker") || above.ContainsKey("firstSpeakerSettings")) RemoveAll(below, "firstSpeaker", "firstSpeakerSettings");
        foreach (var (name, value) in above) below[name] = value?.DeepClone();
        return below;
    }

    private static void RemoveAll(JsonObject json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names) json.Remove(name);
    }

    private static StartCallRequest AsRequest(CallSnapshot prior)
    {
        var (settings, stage) = (prior.Settings, prior.Stage);
        return new StartCallRequest
        {
            SystemPrompt = stage.SystemPrompt,
            Temperature = stage.Temperature,
            Model = stage.Model,
            Voice = stage.Voice,
            ExternalVoice = stage.ExternalVoice,
            VoiceOverrides = stage.VoiceOverrides,
            LanguageHint = stage.LanguageHint,
            JoinTimeout = settings.JoinTimeout,
            MaxDuration = settings.MaxDuration,
            TimeExceededMessage = stage.TimeExceededMessage,
            InactivityMessages = stage.InactivityMessages,
            Medium = settings.Medium,
            RecordingEnabled = settings.RecordingEnabled,
            TranscriptOptional = settings.TranscriptOptional,
            InitialOutputMedium = settings.InitialOutputMedium,
            VadSettings = stage.VadSettings,
            FirstSpeakerSettings = settings.FirstSpeaker,
            ExperimentalSettings = stage.ExperimentalSettings as JsonObject,
            Metadata = settings.Metadata,
            InitialState = stage.InitialState,
            DataConnection = settings.DataConnection?.Deserialize<DataConnectionConfig>(WireJson.Options),
            Callbacks = settings.Callbacks?.Deserialize<Callbacks>(WireJson.Options),
            RetentionPolicy = settings.RetentionPolicy switch
            {
                "retain" => CallRetentionPolicy.Retain,
                "auto_delete" => CallRetentionPolicy.AutoDelete,
                _ => null,
            },
            SharedSecrets = stage.SharedSecrets,
        };
    }

    private static List<SelectedTool> Apply(ToolOverrides overrides, IReadOnlyList<SelectedTool> tools, IReadOnlyList<string?> names)
    {
        var errors = new InputErrors();
        var removed = overrides.Remove ?? [];
        for (var i = 0; i < removed.Count; i++)
        {
            if (!names.Contains(removed[i])) errors.Field("toolOverrides").Field("remove").Item(i).Add("The agent has no tool of this name.");
        }
        errors.ThrowIfAny();
        var kept = overrides.RemoveAll == true ? [] : tools.Where((_, i) => names[i] is not { } name || !removed.Contains(name));
        return [.. kept, .. overrides.Add ?? []];
    }

    private static JsonObject ToJson<T>(T value) => JsonSerializer.SerializeToNode(value, WireJson.Sparse)!.AsObject();
}
