using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Grains.Calls.Stages;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Media;
using VoiceGrains.Providers.Catalog;

namespace VoiceGrains.Grains.Calls;

/// <summary>Runs the conversations of this silo: finds a call's providers, records it, and tells its grain how it ended.</summary>
internal sealed partial class LiveCallHost(
    LiveCalls calls, CallEndings endings, ICallJournal journal, IBlobStore blobs, Pacer pacer, IToolInvoker tools,
    ILanguageModelCatalog models, IRecognizerCatalog recognizers, CallVoices voices, LiveEventStreams liveEvents, DataConnections.DataConnections dataConnections,
    CallPastReader pasts, IStageSource stages, IOptions<ConversationOptions> options, IOptions<ClusterOptions> cluster, TimeProvider clock, ILogger<LiveCallHost> logger) : ILiveCallHost
{
    internal const int RecordingRateHz = 16_000;

    /// <summary>How long the client's connection waits for the end to be stored; that goes on without it.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async Task RunAsync(CallSnapshot call, IMediaPort port, CancellationToken stopping)
    {
        var callId = call.Settings.CallId;
        var run = new CallRun(callId, call.Generation);
        var outcome = new CallOutcome(EndReason.SystemError) { Generation = call.Generation };
        try
        {
            outcome = await ConverseAsync(run, call, port, stopping);
        }
        catch (Exception exception)
        {
            LogFailed(callId, exception);
            await TryCloseAsync(port);
        }
        await TellGrainAsync(callId, outcome with { Ended = clock.GetUtcNow() });
    }

    private async Task<CallOutcome> ConverseAsync(CallRun run, CallSnapshot call, IMediaPort port, CancellationToken stopping)
    {
        var callId = run.CallId;
        var past = run.Generation > 1 ? await pasts.ReadAsync(call, stopping) : null;
        await using var recording = call.Settings.RecordingEnabled ? LiveRecording.Open(blobs, run, clock, logger) : null;
        var parts = FindParts(call.Stage, await voices.ResolveAsync(call.Settings.AccountId, call.Stage, stopping), recording?.Recorder) with
        {
            LiveEvents = liveEvents.PublisherOf(callId), Past = past, ResumesElsewhere = !cluster.Value.IsAlone, Stages = stages, StageCount = call.StageCount,
        };
        await using var conversation = new Conversation(run, call.Settings, call.Stage, port, parts);
        if (!calls.TryAdd(callId, conversation)) throw new InvalidOperationException("The call is live already.");
        return await conversation.RunAsync(stopping);
    }

    private ConversationParts FindParts(StageSettings stage, CallVoice voice, StereoRecorder? recorder)
    {
        if (!models.TryResolve(stage.Model, out var model)) throw new InvalidOperationException($"The model '{stage.Model}' is not configured any more.");
        recognizers.TryResolve(stage.LanguageHint, out var recognizer);
        return new ConversationParts
        {
            Model = model.Model,
            ModelName = model.ModelName,
            Recognizer = recognizer?.Recognizer,
            Voice = voice.Voice,
            FallbackVoice = voice.Fallback,
            VoiceProblem = voice.Problem,
            Tools = tools,
            Journal = journal,
            Pacer = pacer,
            Clock = clock,
            Logger = logger,
            Recorder = recorder,
            DataConnections = dataConnections,
            Options = options.Value,
        };
    }

    private async Task TellGrainAsync(string callId, CallOutcome outcome)
        => await endings.StoreAsync(callId, outcome).WaitAsync(EndPatience, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static async Task TryCloseAsync(IMediaPort port)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await port.CloseAsync("system_error", mayReturn: false, patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(3101, LogLevel.Error, "Call {CallId} could not be run")]
    private partial void LogFailed(string callId, Exception exception);
}
