using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations.Threads;
using VoiceGrains.Grains.Calls.DataConnections;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// The live engine of one call. One loop consumes the call's events and is the only writer of its state; providers, pacer and medium run
/// beside it and only post events. This file has the life of the call; <c>docs/conversation.md</c> says what the other parts own.
/// </summary>
internal sealed partial class Conversation : ILiveCall, IAsyncDisposable
{
    private readonly CallSettings _settings;
    private StageSettings _stage;
    private readonly IMediaPort _port;
    private ConversationParts _parts;
    private readonly ConversationOptions _options;
    private readonly ILogger _logger;
    private readonly CallClock _clock;
    private readonly Inbox _inbox;
    /// <summary>Null: the call has none.</summary>
    private readonly DataConnection? _connection;
    private readonly Outbox _outbox;
    private readonly History _history;
    private readonly CallEventLog _log;
    private readonly Deadlines _deadlines;
    private InactivityRule _inactivity;
    private readonly UserListener _listener;
    private readonly SpeechOutput _speech;
    private readonly CancellationTokenSource _cancellation = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AgentState _state = AgentState.Idle;
    private CallOutcome? _outcome;

    public Conversation(CallRun run, CallSettings settings, StageSettings stage, IMediaPort port, ConversationParts parts)
    {
        Run = run;
        var past = parts.Past;
        (_settings, _stage, _port, _parts, _options, _logger) = (settings, stage, port, parts, parts.Options, parts.Logger);
        _clock = new CallClock(parts.Clock, past?.Wall ?? default, past?.Input ?? default);
        _inbox = new Inbox(port.InputSampleRateHz);
        _connection = parts.DataConnections?.Create(settings, port.InputSampleRateHz, _inbox);
        _outbox = new Outbox(port, settings.Medium.Wanted(), parts.LiveEvents, _connection);
        _history = new History(run, stage, parts.Journal, past);
        _log = new CallEventLog(run, stage.CallStageId, _clock, parts.Journal, _outbox);
        _deadlines = new Deadlines(parts.Clock, () => _inbox.Writer.TryWrite(new(EventKind.Timer)));
        _dtmf = new DtmfInput(settings.Medium);
        _inactivity = new InactivityRule(stage.InactivityMessages);
        _listener = new UserListener(port.InputSampleRateHz, stage.VadSettings, _clock, parts.Recorder) { BeginTurn = BeginTurn, OnSignal = OnUserSignal };
        _speech = new SpeechOutput(port, parts.Pacer, parts.Recorder, parts.Clock, _inbox.Writer, _connection?.Audio?.Sound);
        _outputMedium = settings.InitialOutputMedium == MessageMedium.Text ? MessageMedium.Text : MessageMedium.Voice;
        _stageCount = parts.StageCount;
        _callState = (JsonObject)(past?.CallState ?? stage.InitialState).DeepClone();
        _threads = CreateThreads();
        _voices = new SpeakingVoices(parts.Voice, parts.FallbackVoice, _options, parts.Clock);
    }

    public CallRun Run { get; }

    /// <summary>Runs the call until somebody ends it. Never throws: a defect ends the call with <c>system_error</c>.</summary>
    /// <param name="stopping">The silo stops: the call ends.</param>
    public async Task<CallOutcome> RunAsync(CancellationToken stopping)
    {
        using var activity = CallTelemetry.Source.StartActivity("call", ActivityKind.Server);
        activity?.SetTag("call_id", _settings.CallId);
        _speech.Parent = activity?.Context ?? default;
        CallTelemetry.ActiveCalls.Add(1);
        using var onStop = stopping.UnsafeRegister(_ => _inbox.Writer.TryWrite(new(EventKind.End, EndRequest.ServerStopping)), null);
        var media = ReceiveAsync();
        try
        {
            Start();
            // Awaited here, in the one method that lives as long as the call: a method of its own would allocate for each frame.
            while (_outcome is null) TryHandle(await _inbox.Reader.ReadAsync(CancellationToken.None));
        }
        finally
        {
            CallTelemetry.ActiveCalls.Add(-1);
            await StopAsync(media);
            activity?.SetTag("end_reason", _outcome?.Reason.ToString());
        }
        return _outcome! with { ErrorCount = _log.Errors, Generation = Run.Generation };
    }

    bool ILiveCall.IsOver => _outcome is not null;

    bool ILiveCall.TryPost(JsonObject message) => _outcome is null && _inbox.TryPost(message);

    async Task ILiveCall.EndAsync(EndReason reason, CancellationToken cancellationToken)
    {
        _inbox.Writer.TryWrite(new(EventKind.End, new EndRequest(reason)));
        await _ended.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _speech.DisposeAsync();
        _listener.Dispose();
        _deadlines.Dispose();
        if (_connection is not null) await _connection.DisposeAsync();
        _answer?.Dispose();
        _cancellation.Dispose();
        _ended.TrySetResult();
    }

    private void Start()
    {
        _connection?.Start();
        _outbox.CallStarted(_settings.CallId);
        TellOfVoice(_parts.VoiceProblem);
        CheckRecording();
        var left = _settings.MaxDuration - _clock.Wall;
        _deadlines.Set(Deadline.MaxDuration, left > TimeSpan.Zero ? left : TimeSpan.Zero);
        _deadlines.Set(Deadline.InputCheck, InputCheckPeriod);
        if (_parts.Past is { } past) Resume(past);
        else StartFirstSpeaker();
        if (_state == AgentState.Idle) Enter(AgentState.Listening);
    }

    private async Task ReceiveAsync()
    {
        var end = MediaEnd.Lost;
        try
        {
            end = await _port.RunAsync(_inbox, _cancellation.Token);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogMediaFailed(_settings.CallId, exception);
        }
        catch (OperationCanceledException)
        {
            end = MediaEnd.Cancelled;
        }
        _inbox.Writer.TryWrite(new(EventKind.MediaEnded, end));
    }

    private void TryHandle(in ConversationEvent next)
    {
        try
        {
            Handle(next);
        }
        catch (Exception exception)
        {
            // A defect of ours: the call ends with its reason rather than falling silent; other calls never notice.
            LogDefect(_settings.CallId, next.Kind, exception);
            _log.Write(Severity.Error, "system_error", "The conversation failed internally.");
            End(EndReason.SystemError);
        }
    }

    private void Handle(in ConversationEvent next)
    {
        switch (next.Kind)
        {
            case EventKind.Audio: OnAudio((short[])next.Payload!, next.Number); break;
            case EventKind.ClientData: OnClientData((byte[])next.Payload!); break;
            case EventKind.ServerData: OnServerData((JsonObject)next.Payload!); break;
            case EventKind.Notice: OnNotice((MediaNotice)next.Payload!); break;
            case EventKind.Dtmf: OnDtmf((char)next.Number); break;
            case EventKind.ConnectionData: OnConnectionData((byte[])next.Payload!); break;
            case EventKind.ConnectionNotice: OnConnectionNotice((ConnectionNotice)next.Payload!); break;
            case EventKind.MediaEnded: OnMediaEnded((MediaEnd)next.Payload!); break;
            case EventKind.PartialText: OnPartialText((UserTurn)next.Payload!); break;
            case EventKind.Recognized: OnRecognized((UserTurn)next.Payload!); break;
            case EventKind.Model: OnModelOutput((ModelOutput)next.Payload!); break;
            case EventKind.ToolFinished: OnToolFinished((FinishedTool)next.Payload!); break;
            case EventKind.Stage: OnStageStep((StageStep)next.Payload!); break;
            case EventKind.UtteranceStarted: OnUtteranceStarted((Utterance)next.Payload!); break;
            case EventKind.UtterancePlayed: OnUtterancePlayed((Utterance)next.Payload!); break;
            case EventKind.UtteranceSynthesized: _speechFailures = 0; break;
            case EventKind.SpeechFailed: OnSpeechFailed((SpeechFailure)next.Payload!); break;
            case EventKind.SpeechRecovered: _log.Write(Severity.Info, "speech_recovered", "The voice that had failed speaks again."); break;
            case EventKind.Underrun: OnUnderrun(); break;
            case EventKind.Progress: ShowProgress(); break;
            case EventKind.Thread: _threads.On((ThreadSignal)next.Payload!); break;
            case EventKind.Timer: OnTimer(); break;
            case EventKind.End: OnEndRequest((EndRequest)next.Payload!); break;
            default: throw new UnreachableException();
        }
    }

    private void OnTimer()
    {
        while (_outcome is null && _deadlines.TryTakeDue(out var deadline))
        {
            switch (deadline)
            {
                case Deadline.FirstSpeaker: SpeakFirst(); break;
                case Deadline.Inactivity: OnInactive(); break;
                case Deadline.MaxDuration: OnMaxDuration(); break;
                case Deadline.HardStop: End(_farewellReason); break;
                case Deadline.InputStall: OnInputStall(); break;
                case Deadline.Answer: OnAnswerTimeout(); break;
                case Deadline.Dtmf: OnDtmfPause(); break;
                case Deadline.SoftHangUp: OnSoftHangUp(); break;
                case Deadline.BargeIn: OnBargeInWindow(); break;
                case Deadline.InputCheck: CheckInput(); break;
            }
        }
    }

    private void OnMediaEnded(MediaEnd end)
    {
        if (end == MediaEnd.ClosedByClient) End(EndReason.Hangup);
        else if (end == MediaEnd.Cancelled) End(EndReason.SystemError);
        else
        {
            _log.Write(Severity.Warning, "connection_error", end switch
            {
                MediaEnd.Idle => "No audio came for longer than mediaIdleTimeout.",
                MediaEnd.ProtocolError => "The client broke the protocol.",
                _ => "The connection was lost.",
            });
            End(EndReason.ConnectionError, mayResume: end == MediaEnd.Lost);
        }
    }

    private void OnNotice(MediaNotice notice)
    {
        _inbox.ReleaseMessage();
        _log.Write(notice.IsWarning ? Severity.Warning : Severity.Info, notice.Type, notice.Text);
    }

    private void OnEndRequest(EndRequest request)
    {
        if (ReferenceEquals(request, EndRequest.ServerStopping)) _log.Write(Severity.Warning, "server_stopping", "The server was stopped while the call was live.");
        End(request.Reason, mayResume: _parts.ResumesElsewhere && ReferenceEquals(request, EndRequest.ServerStopping));
    }

    /// <summary>Ends the call now; the first reason stays.</summary>
    /// <param name="mayResume">The client may come back to it.</param>
    private void End(EndReason reason, bool mayResume = false) => _outcome ??= new CallOutcome(reason) { MayResume = mayResume };

    private async Task StopAsync(Task media)
    {
        _outcome ??= new CallOutcome(EndReason.SystemError);
        if (_outcome.MayResume) _threads.Abandon();      // whoever goes on with the call tells of them
        else _threads.EndAll("The call ended.");
        SilenceAgent();
        if (!_outcome.MayResume) RecordLostTools();
        if (_listener.Turn is { } turn) await DropRecognitionAsync(turn);
        Enter(AgentState.Idle);
        if ((_port as IMeasuredPort)?.Measure() is { } measures) _log.Write(Severity.Info, measures.Type, measures.Text, measures.Extras);
        if (!_outcome.MayResume) _log.Write(Severity.Info, "call_ended", $"The call ended: {WireJson.NameOf(_outcome.Reason)}.");
        // Beside the medium's: whoever listens there does not keep the caller waiting.
        var closing = _connection?.CloseAsync(_outcome.MayResume) ?? Task.CompletedTask;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3), _parts.Clock);
        try
        {
            await _port.CloseAsync(_outcome.Reason.ToString(), _outcome.MayResume, patience.Token);
        }
        catch (Exception exception)
        {
            LogMediaFailed(_settings.CallId, exception);
        }
        await _cancellation.CancelAsync();
        await media;
        await closing;
    }

    private void Enter(AgentState state)
    {
        if (_state == state) return;
        _state = state;
        _outbox.State(state switch
        {
            AgentState.Idle => "idle",
            AgentState.Listening => "listening",
            AgentState.Thinking => "thinking",
            _ => "speaking",
        });
    }

    [LoggerMessage(3001, LogLevel.Error, "Call {CallId} failed at {Event}")]
    private partial void LogDefect(string callId, EventKind @event, Exception exception);

    [LoggerMessage(3002, LogLevel.Debug, "The medium of call {CallId} failed")]
    private partial void LogMediaFailed(string callId, Exception exception);

    private enum AgentState : byte { Idle, Listening, Thinking, Speaking }
}
