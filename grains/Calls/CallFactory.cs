using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Grains.Calls;

/// <summary>Makes a call's settings from a request whose shape is checked: defaults applied, names looked up, fields that must agree compared.</summary>
public sealed class CallFactory(ILanguageModelCatalog models, IVoiceCatalog voices, TimeProvider clock)
{
    private const string ReservedPrefix = "ultravox.";

    /// <exception cref="InvalidInputException">With every problem found.</exception>
    public CallSettings Create(CallOrigin origin, StartCallRequest request)
    {
        var errors = new InputErrors();
        CheckMedium(request.Medium, errors.Field("medium"));
        CheckMetadata(request.Metadata, errors.Field("metadata"));
        var now = clock.GetUtcNow();
        var settings = new CallSettings
        {
            CallId = Guid.NewGuid().ToString(),
            AccountId = origin.AccountId,
            AgentId = origin.AgentId,
            AgentName = origin.AgentName,
            Created = now,
            Medium = request.Medium is null || IsEmpty(request.Medium) ? new CallMedium { WebRtc = new WebRtcMedium() } : request.Medium,
            JoinTimeout = request.JoinTimeout ?? TimeSpan.FromSeconds(30),
            MaxDuration = request.MaxDuration ?? TimeSpan.FromHours(1),
            RecordingEnabled = request.RecordingEnabled ?? false,
            FirstSpeaker = FirstSpeaker(request, errors),
            InitialOutputMedium = request.InitialOutputMedium is MessageMedium.Text ? MessageMedium.Text : MessageMedium.Voice,
            EnableGreetingPrompt = origin.EnableGreetingPrompt,
            TranscriptOptional = request.TranscriptOptional ?? true,
            FirstStage = Stage(origin, request, now, errors),
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

    private StageSettings Stage(CallOrigin origin, StartCallRequest request, DateTimeOffset now, InputErrors errors)
    {
        if (!models.TryResolve(request.Model, out var model)) errors.Field("model").Add($"Unknown model '{Shorten(request.Model!)}'.");
        CheckVoice(request, errors);
        var stageId = Guid.NewGuid().ToString();
        return new StageSettings
        {
            CallStageId = stageId,
            Created = now,
            SystemPrompt = request.SystemPrompt,
            Temperature = request.Temperature ?? 0,
            Model = model?.Alias ?? "",
            Voice = string.IsNullOrEmpty(request.Voice) ? null : request.Voice,
            ExternalVoice = request.ExternalVoice,
            VoiceOverrides = request.VoiceOverrides,
            LanguageHint = request.LanguageHint,
            TimeExceededMessage = request.TimeExceededMessage,
            InactivityMessages = request.InactivityMessages ?? [],
            VadSettings = request.VadSettings,
            Tools = request.SelectedTools is { } selected ? CallTools.Create(selected, errors.Field("selectedTools")) : InheritedTools(origin),
            InitialMessages = InitialMessages(request.InitialMessages ?? [], stageId, errors.Field("initialMessages")),
            InitialState = request.InitialState ?? [],
            ExperimentalSettings = request.ExperimentalSettings,
        };
    }

    private void CheckVoice(StartCallRequest request, InputErrors errors)
    {
        if (!string.IsNullOrEmpty(request.Voice) && !voices.TryResolve(request.Voice, out _)) errors.Field("voice").Add($"Unknown voice '{Shorten(request.Voice)}'.");
        if (request.VoiceOverrides is not null && string.IsNullOrEmpty(request.Voice)) errors.Field("voiceOverrides").Add("Only valid when 'voice' is set.");
        if (request.ExternalVoice is { Generic: null } named)
        {
            var provider = AsJson(named)!.First().Key;
            errors.Field("externalVoice").Field(provider).Add("No API key is set for this provider. Use 'generic', or a configured voice.");
        }
    }

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

    private static IReadOnlyList<Message> InitialMessages(IReadOnlyList<Message> given, string stageId, InputErrors errors)
    {
        var messages = new List<Message>(given.Count);
        for (var i = 0; i < given.Count; i++)
        {
            if (given[i].Role == MessageRole.Unspecified) errors.Item(i).Field("role").Add("This field is required.");
            messages.Add(given[i] with
            {
                Medium = given[i].Medium == MessageMedium.Unspecified ? MessageMedium.Text : given[i].Medium,
                CallStageId = stageId, CallStageMessageIndex = i, Timespan = null, WallClockTimespan = null,
            });
        }
        return messages;
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
            if (set is not null) errors.Field(name).Add("This medium is not available on this server yet. Use 'serverWebSocket'.");
        }
    }

    private static void CheckMetadata(IReadOnlyDictionary<string, string>? metadata, InputErrors errors)
    {
        foreach (var key in metadata?.Keys ?? [])
        {
            if (key.StartsWith(ReservedPrefix, StringComparison.Ordinal)) errors.Field(Shorten(key)).Add($"Keys may not start with \"{ReservedPrefix}\".");
        }
    }

    private static bool IsEmpty(CallMedium medium) => medium == new CallMedium();

    private static JsonObject? AsJson<T>(T? value) where T : class => value is null ? null : JsonSerializer.SerializeToNode(value, WireJson.Sparse)!.AsObject();

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}

/// <summary>Where a call comes from.</summary>
public sealed record CallOrigin(string AccountId)
{
    public string? AgentId { get; init; }
    public string? AgentName { get; init; }
    public bool EnableGreetingPrompt { get; init; } = true;
    /// <summary>Tools of a prior call, for a request that selects none.</summary>
    public IReadOnlyList<CallTool> Tools { get; init; } = [];
}
