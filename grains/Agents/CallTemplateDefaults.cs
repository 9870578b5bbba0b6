using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Agents;

/// <summary>The documented defaults of a call, in one place: answers show them and calls are made with them.</summary>
public static class CallTemplateDefaults
{
    public static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(30), MaxDuration = TimeSpan.FromHours(1);

    public static FirstSpeakerSettings FirstSpeaker { get; } = new() { Agent = new() };

    public static VadSettings VadSettings { get; } = new()
    {
        TurnEndpointDelay = TimeSpan.FromMilliseconds(384),
        MinimumTurnDuration = TimeSpan.Zero,
        MinimumInterruptionDuration = TimeSpan.FromMilliseconds(90),
        FrameActivationThreshold = 0.1,
    };

    /// <summary>Fills in every default that does not depend on the account.</summary>
    /// <param name="template">As the client gave it.</param>
    /// <param name="model">Alias of the default model.</param>
    public static CallTemplate WithDefaults(this CallTemplate template, string model) => template with
    {
        InitialOutputMedium = template.InitialOutputMedium is { } medium and not MessageMedium.Unspecified ? medium : MessageMedium.Voice,
        JoinTimeout = template.JoinTimeout ?? JoinTimeout,
        MaxDuration = template.MaxDuration ?? MaxDuration,
        VadSettings = WithDefaults(template.VadSettings),
        RecordingEnabled = template.RecordingEnabled ?? false,
        FirstSpeakerSettings = template.FirstSpeakerSettings ?? FirstSpeaker,
        SystemPrompt = template.SystemPrompt ?? "",
        Temperature = template.Temperature ?? 0,
        Model = string.IsNullOrEmpty(template.Model) ? model : template.Model,
        Voice = template.Voice ?? "",
        LanguageHint = template.LanguageHint ?? "",
        TimeExceededMessage = template.TimeExceededMessage ?? "",
        InactivityMessages = template.InactivityMessages ?? [],
        SelectedTools = template.SelectedTools ?? [],
        ContextSchema = template.ContextSchema ?? TemplateFiller.DefaultSchema(template),
        RetentionPolicy = template.RetentionPolicy ?? CallRetentionPolicy.Unspecified,
    };

    public static VadSettings WithDefaults(VadSettings? given) => new()
    {
        TurnEndpointDelay = given?.TurnEndpointDelay ?? VadSettings.TurnEndpointDelay,
        MinimumTurnDuration = given?.MinimumTurnDuration ?? VadSettings.MinimumTurnDuration,
        MinimumInterruptionDuration = given?.MinimumInterruptionDuration ?? VadSettings.MinimumInterruptionDuration,
        FrameActivationThreshold = given?.FrameActivationThreshold ?? VadSettings.FrameActivationThreshold,
    };

    /// <summary>The first stage of a call.</summary>
    /// <param name="template">Filled, checked and with its defaults.</param>
    /// <param name="tools">As <see cref="CallTemplateRules.CheckCallAsync"/> gave them.</param>
    /// <param name="history">Messages that the call begins with.</param>
    /// <param name="created">When the call was created.</param>
    public static StageSettings ToFirstStage(
        this CallTemplate template, IReadOnlyList<CallTool> tools, IReadOnlyList<Message> history, DateTimeOffset created) => new()
    {
        CallStageId = Guid.NewGuid().ToString(),
        Created = created,
        SystemPrompt = Text(template.SystemPrompt),
        Temperature = template.Temperature ?? 0,
        Model = template.Model!,
        Voice = Text(template.Voice),
        ExternalVoice = template.ExternalVoice,
        VoiceOverrides = template.VoiceOverrides,
        LanguageHint = Text(template.LanguageHint),
        TimeExceededMessage = Text(template.TimeExceededMessage),
        InactivityMessages = template.InactivityMessages ?? [],
        VadSettings = template.VadSettings,
        Tools = tools,
        InitialMessages = history,
        SharedSecrets = template.SharedSecrets ?? [],
    };

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
