using Microsoft.Extensions.Logging;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Agents;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Calls.Interruptions;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Grains.Calls.Stages;

/// <summary>Makes the stages that tools ask for by the rules of a call's creation, and has the call's grain store them.</summary>
internal sealed partial class StageFactory(
    CallTemplateRules rules, IRecognizerCatalog recognizers, CallVoices voices, IGrainFactory grains, TimeProvider clock, ILogger<StageFactory> logger) : IStageSource
{
    private const string DefaultToolResult = "OK";
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100), LongestRetry = TimeSpan.FromSeconds(2);

    public async Task<NextStage> ResolveAsync(string accountId, StageSettings current, string body, CancellationToken cancellationToken)
    {
        var (given, result, ignored) = NextStageBody.Read(body);
        var errors = new InputErrors();
        CallFactory.RefuseTemplates(given, errors);
        InterruptionSettings.Read(given.ExperimentalSettings, errors.Field("experimentalSettings"));
        var merged = Merge(current, given);
        // Overrides may be for a voice that is inherited.
        var template = CallFactory.AsTemplate(given) with { Voice = given.VoiceOverrides is null ? given.Voice : merged.Voice };
        var tools = await rules.CheckCallAsync(accountId, template, errors, cancellationToken);
        var history = given.InitialMessages is { } messages ? CallFactory.InitialMessages(messages, errors.Field("initialMessages")) : null;
        if (given.InitialState is { } state && SharedState.ProblemOf(state) is { } problem) errors.Field("initialState").Add(problem);
        errors.ThrowIfAny();
        var settings = merged with
        {
            Tools = given.SelectedTools is null ? current.Tools : tools,
            InitialMessages = Placed(history ?? [], merged.CallStageId),
        };
        return await FindVoiceAsync(accountId, settings, cancellationToken) with { HasHistory = history is not null, State = given.InitialState, ToolResultText = result ?? DefaultToolResult, IgnoredFields = ignored };
    }

    public async Task<bool> StoreAsync(CallRun run, StageSettings stage, CancellationToken cancellationToken)
    {
        for (var (failures, backoff) = (0, new Backoff(FirstRetry, LongestRetry)); ; failures++)
        {
            try
            {
                return await grains.GetGrain<ICallGrain>(run.CallId).EnterStageAsync(stage, run.Generation).WaitAsync(cancellationToken);
            }
            catch (PlatformException gone) when (gone.Code == ErrorCode.CallNotFound)
            {
                return false;       // deleted meanwhile
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                if (failures == 0) LogNotStored(run.CallId, failure);
            }
            await Task.Delay(backoff.Next(), clock, cancellationToken);
        }
    }

    private StageSettings Merge(StageSettings current, StartCallRequest given)
    {
        var hasVoice = given.Voice is not null || given.ExternalVoice is not null;     // they take each other's place
        return current with
        {
            CallStageId = Guid.NewGuid().ToString(),
            Created = clock.GetUtcNow(),
            SystemPrompt = Text(given.SystemPrompt, current.SystemPrompt),
            Temperature = given.Temperature ?? current.Temperature,
            Voice = hasVoice ? Text(given.Voice, null) : current.Voice,
            ExternalVoice = hasVoice ? given.ExternalVoice : current.ExternalVoice,
            VoiceOverrides = hasVoice ? given.VoiceOverrides : given.VoiceOverrides ?? current.VoiceOverrides,
            LanguageHint = Text(given.LanguageHint, current.LanguageHint),
            TimeExceededMessage = Text(given.TimeExceededMessage, current.TimeExceededMessage),
            InactivityMessages = given.InactivityMessages ?? current.InactivityMessages,
            VadSettings = given.VadSettings is { } vad ? CallTemplateDefaults.WithDefaults(vad) : current.VadSettings,
            ExperimentalSettings = given.ExperimentalSettings ?? current.ExperimentalSettings,
        };
    }

    /// <exception cref="InvalidInputException">No voice can speak.</exception>
    private async Task<NextStage> FindVoiceAsync(string accountId, StageSettings stage, CancellationToken cancellationToken)
    {
        try
        {
            var voice = await voices.ResolveAsync(accountId, stage, cancellationToken);
            recognizers.TryResolve(stage.LanguageHint, out var recognizer);
            return new NextStage
            {
                Settings = stage,
                Voice = voice.Voice,
                FallbackVoice = voice.Fallback,
                VoiceProblem = voice.Problem,
                Recognizer = recognizer?.Recognizer,
                ToolResultText = DefaultToolResult,
            };
        }
        catch (VoiceUnavailableException gone)
        {
            throw new InvalidInputException("voice", gone.Message);
        }
    }

    private static List<Message> Placed(IReadOnlyList<Message> messages, string stageId)
        => [.. messages.Select((message, index) => History.AsInitial(message, stageId, index))];

    /// <summary>An empty text takes away what was inherited.</summary>
    private static string? Text(string? given, string? inherited) => given is null ? inherited : given.Length == 0 ? null : given;

    [LoggerMessage(1060, LogLevel.Warning, "A new stage of call {CallId} could not be stored; it is tried again")]
    private partial void LogNotStored(string callId, Exception exception);
}
