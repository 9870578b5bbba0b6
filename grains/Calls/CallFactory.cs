using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Grains.Calls.Interruptions;
using VoiceGrains.Grains.Validation;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Calls;

/// <summary>Makes a call's settings from a request whose shape is checked: defaults applied, names looked up, fields that must agree compared.</summary>
public sealed class CallFactory(CallTemplateRules rules, ILanguageModelCatalog models, OutboundGuard guard, TimeProvider clock)
{
    private const string ReservedPrefix = "ultravox.";

    /// <exception cref="InvalidInputException">With every problem found.</exception>
    public async Task<CallSettings> CreateAsync(CallOrigin origin, StartCallRequest request, CancellationToken cancellationToken)
    {
        var errors = new InputErrors();
        TellOfAddedToolsWhereTheyWereWritten(origin, request, errors);
        CheckMedium(request.Medium, errors.Field("medium"));
        InterruptionSettings.Read(request.ExperimentalSettings, errors.Field("experimentalSettings"));
        CheckMetadata(request.Metadata, errors.Field("metadata"));
        CheckCallbacks(request.Callbacks, errors.Field("callbacks"));
        RefuseTemplates(request, errors);
        var now = clock.GetUtcNow();
        var template = AsTemplate(request).WithDefaults(models.DefaultAlias);
        var settings = new CallSettings
        {
            CallId = Guid.NewGuid().ToString(),
            AccountId = origin.AccountId,
            AgentId = origin.AgentId,
            AgentName = origin.AgentName,
            Created = now,
            Medium = request.Medium is null || IsEmpty(request.Medium) ? new CallMedium { WebRtc = new WebRtcMedium() } : request.Medium,
            JoinTimeout = template.JoinTimeout!.Value,
            MaxDuration = template.MaxDuration!.Value,
            RecordingEnabled = template.RecordingEnabled!.Value,
            FirstSpeaker = FirstSpeaker(request, errors),
            InitialOutputMedium = template.InitialOutputMedium!.Value,
            EnableGreetingPrompt = origin.EnableGreetingPrompt,
            TranscriptOptional = request.TranscriptOptional ?? true,
            FirstStage = await StageAsync(origin, request, template, now, errors, cancellationToken),
            Metadata = request.Metadata ?? new Dictionary<string, string>(),
            DataConnection = AsJson(request.DataConnection),
            Callbacks = AsJson(request.Callbacks),
            RetentionPolicy = request.RetentionPolicy switch
            {
                CallRetentionPolicy.Retain => "retain",
                CallRetentionPolicy.AutoDelete => "auto_delete",
                _ => null,
            },
        };
        errors.ThrowIfAny();
        return settings;
    }

    private static void TellOfAddedToolsWhereTheyWereWritten(CallOrigin origin, StartCallRequest request, InputErrors errors)
    {
        var kept = (request.SelectedTools?.Count ?? 0) - origin.AddedTools;
        for (var i = 0; i < origin.AddedTools; i++) errors.Field("selectedTools").Redirect(kept + i, errors.Field("toolOverrides").Field("add").Item(i));
    }

    private void CheckCallbacks(Callbacks? callbacks, InputErrors errors)
    {
        Check(callbacks?.Joined, "joined");
        Check(callbacks?.Ended, "ended");
        Check(callbacks?.Billed, "billed");

        void Check(Callback? callback, string name)
        {
            if (callback?.Url is { } url) ReceiverUrl.Check(url, guard, errors.Field(name).Field("url"));
        }
    }

    private async Task<StageSettings> StageAsync(
        CallOrigin origin, StartCallRequest request, CallTemplate template, DateTimeOffset now, InputErrors errors, CancellationToken cancellationToken)
    {
        var tools = await rules.CheckCallAsync(origin.AccountId, template, errors, cancellationToken);
        if (!models.TryResolve(template.Model, out var model) && !errors.Field("model").Any) errors.Field("model").Add($"Model '{JsonLeaf.Shorten(template.Model!)}' does not exist.");
        var history = InitialMessages(request.InitialMessages ?? [], errors.Field("initialMessages"));
        var stage = template.ToFirstStage(request.SelectedTools is null ? InheritedTools(origin) : tools, history, now);
        return stage with
        {
            Model = model?.Alias ?? stage.Model,
            InitialMessages = [.. history.Select((message, index) => message with { CallStageId = stage.CallStageId, CallStageMessageIndex = index })],
            InitialState = request.InitialState ?? [],
            ExperimentalSettings = request.ExperimentalSettings,
        };
    }

    /// <summary>The two messages share the names of what they share. Nothing of a call is a template, whatever braces it holds.</summary>
    internal static CallTemplate AsTemplate(StartCallRequest request)
        => JsonSerializer.SerializeToNode(request, WireJson.Sparse).Deserialize<CallTemplate>(WireJson.Options)! with { ContextSchema = [] };

    private static FirstSpeakerSettings FirstSpeaker(StartCallRequest request, InputErrors errors)
    {
        var (older, settings) = (request.FirstSpeaker, request.FirstSpeakerSettings);
        var differ = settings is not null && older is GrainInterfaces.Calls.FirstSpeaker.Agent or GrainInterfaces.Calls.FirstSpeaker.User
            && (older == GrainInterfaces.Calls.FirstSpeaker.Agent) != (settings.Agent is not null);
        if (differ) errors.Field("firstSpeaker").Add("Must match 'firstSpeakerSettings' where both are set.");
        return settings ?? (older == GrainInterfaces.Calls.FirstSpeaker.User
            ? new FirstSpeakerSettings { User = new UserGreeting() }
            : new FirstSpeakerSettings { Agent = new AgentGreeting() });
    }

    internal static List<Message> InitialMessages(IReadOnlyList<Message> given, InputErrors errors)
    {
        for (var i = 0; i < given.Count; i++)
        {
            if (given[i].Role == MessageRole.Unspecified) errors.Item(i).Field("role").Add("This field is required.");
        }
        return [.. given.Select(message => message with
        {
            Medium = message.Medium == MessageMedium.Unspecified ? MessageMedium.Text : message.Medium,
            Timespan = null, WallClockTimespan = null,
        })];
    }

    /// <summary>The same tools for another call.</summary>
    private static IReadOnlyList<CallTool> InheritedTools(CallOrigin origin) => [.. origin.Tools.Select(tool => tool with { CallToolId = Guid.NewGuid().ToString() })];

    private static void CheckMedium(CallMedium? medium, InputErrors errors)
    {
        Refuse("twilio", medium?.Twilio);
        Refuse("telnyx", medium?.Telnyx);
        Refuse("plivo", medium?.Plivo);
        Refuse("exotel", medium?.Exotel);
        Refuse("sip", medium?.Sip);

        void Refuse(string name, object? set)
        {
            if (set is not null) errors.Field(name).Add("This medium is not available on this server yet. Use 'webRtc' or 'serverWebSocket'.");
        }
    }

    private static void CheckMetadata(IReadOnlyDictionary<string, string>? metadata, InputErrors errors)
    {
        foreach (var key in metadata?.Keys ?? [])
        {
            if (key.StartsWith(ReservedPrefix, StringComparison.Ordinal)) errors.Field(JsonLeaf.Shorten(key)).Add($"Keys may not start with \"{ReservedPrefix}\".");
        }
    }

    /// <summary>Where a name or an address is needed, a variable that nobody filled would come to light only when the call is live.</summary>
    internal static void RefuseTemplates(StartCallRequest request, InputErrors errors)
    {
        Refuse(request.Model, errors.Field("model"));
        Refuse(request.Voice, errors.Field("voice"));
        Refuse(request.LanguageHint, errors.Field("languageHint"));
        Refuse(request.ExternalVoice?.Generic?.Url, errors.Field("externalVoice").Field("generic").Field("url"));
        Refuse(request.DataConnection?.WebsocketUrl, errors.Field("dataConnection").Field("websocketUrl"));

        static void Refuse(string? text, InputErrors errors)
        {
            if (text?.Contains("{{", StringComparison.Ordinal) == true) errors.Add("Templates are filled in calls of agents only.");
        }
    }

    private static bool IsEmpty(CallMedium medium) => medium == new CallMedium();

    private static JsonObject? AsJson<T>(T? value) where T : class => value is null ? null : JsonSerializer.SerializeToNode(value, WireJson.Sparse)!.AsObject();

}

/// <summary>Where a call comes from.</summary>
public sealed record CallOrigin(string AccountId)
{
    public string? AgentId { get; init; }
    public string? AgentName { get; init; }
    public bool EnableGreetingPrompt { get; init; } = true;
    /// <summary>Tools of a prior call, for a request that selects none.</summary>
    public IReadOnlyList<CallTool> Tools { get; init; } = [];
    /// <summary>How many tools at the end of the request's list were added to an agent's by <c>toolOverrides.add</c>.</summary>
    public int AddedTools { get; init; }
}
