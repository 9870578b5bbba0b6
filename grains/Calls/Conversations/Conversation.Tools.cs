using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Tools that the model or a forced message calls: HTTP and built-in ones run beside the loop, client ones at the far end.</summary>
internal sealed partial class Conversation
{
    private static readonly TimeSpan DefaultToolTimeout = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan LongestToolTimeout = TimeSpan.FromSeconds(40);

    private readonly Dictionary<string, TaskCompletionSource<ClientMessage.ToolResultFields>> _awaitedResults = [];
    private readonly JsonObject _callState;

    private IReadOnlyList<ModelTool> ModelTools => field ??= [.. _stage.Tools.Select(ToolSchema.ForModel)];

    private void InvokeTools(Answer answer)
    {
        answer.Reaction = ToolReaction.Listens;
        // The words before a tool call stand before it in the history, also while they are still being spoken.
        if (answer.Current is { Entry: null } spoken) Store(spoken, spoken.Timeline.Text);
        if (_playing is null) Enter(AgentState.Thinking);
        var calls = answer.ToolCalls.ToArray();
        foreach (var call in calls) AddToolCall(call.Id, call.Name, call.Arguments);
        var refused = new List<(string Id, string Name, string Why)>();
        foreach (var call in calls)
        {
            if (FindTool(call, out var arguments) is { } tool) Invoke(answer, new Invocation(UniqueId(answer, call.Id), tool, arguments) { StartTimestamp = _parts.Clock.GetTimestamp() });
            else refused.Add((call.Id, call.Name, arguments["error"]!.GetValue<string>()));
        }
        foreach (var (id, name, why) in refused)
        {
            _log.Write(Severity.Warning, "tool_refused", $"{name}: {why}");
            AddToolResult(id, name, $"Error: {why}", why);
            answer.Reaction = ToolReaction.Speaks;
        }
        if (answer.Running.Count == 0) AfterTools(answer);
    }

    /// <summary>The tool, or null with the reason under <c>error</c> for the model to mend.</summary>
    private CallTool? FindTool(ModelDelta.ToolCall call, out JsonObject arguments)
    {
        arguments = [];
        var tool = _stage.Tools.FirstOrDefault(tool => tool.Name == call.Name);
        if (tool is null)
        {
            arguments["error"] = $"There is no tool named '{call.Name}'.";
            return null;
        }
        if (ToolSchema.TryReadArguments(tool, call.Arguments, out arguments, out var error)) return tool;
        arguments = new() { ["error"] = error };
        return null;
    }

    private static string UniqueId(Answer answer, string id) => id.Length > 0 && !answer.Running.ContainsKey(id) ? id : Guid.NewGuid().ToString();

    private void Invoke(Answer answer, Invocation invocation)
    {
        answer.Running[invocation.Id] = invocation;
        _outbox.InvokingTool(invocation.Tool.Name, invocation.Id);
        _ = RunToolAsync(answer, invocation);
    }

    private async Task RunToolAsync(Answer answer, Invocation invocation)
    {
        using var activity = CallTelemetry.Source.StartActivity("tool", ActivityKind.Client, answer.Span?.Context ?? default);
        activity?.SetTag("call_id", _settings.CallId);
        activity?.SetTag("tool", invocation.Tool.Name);
        var definition = invocation.Tool.Definition;
        var timeout = definition.Timeout is { } asked && asked > TimeSpan.Zero ? asked < LongestToolTimeout ? asked : LongestToolTimeout : DefaultToolTimeout;
        using var patience = new CancellationTokenSource(timeout, _parts.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _cancellation.Token);
        // Everything that reads the call's state happens before the first await, on the loop.
        var context = new ToolContext(_settings.CallId, _stage.CallStageId, _port.OutputSampleRateHz, (JsonObject)_callState.DeepClone(), _settings.Metadata, _history.ToJson());
        var run = definition.Client is not null ? AskClientAsync(answer, invocation, context, either.Token) : _parts.Tools.InvokeAsync(answer, invocation, context, either.Token);
        ToolOutcome outcome;
        try
        {
            if (definition.StaticResponse is { } fixedResponse)
            {
                _ = ObserveAsync(run);
                outcome = new ToolOutcome(answer, invocation, fixedResponse.ResponseText ?? "");
            }
            else outcome = await run;
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            outcome = Failed(answer, invocation, $"The tool did not answer within {timeout.TotalSeconds:0.#} seconds.");
        }
        catch (Exception exception)
        {
            outcome = Failed(answer, invocation, $"The tool failed: {exception.GetType().Name}.");
        }
        _inbox.Writer.TryWrite(new(EventKind.ToolFinished, outcome));
    }

    private static async Task ObserveAsync(Task<ToolOutcome> run) => await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private Task<ToolOutcome> AskClientAsync(Answer answer, Invocation invocation, ToolContext context, CancellationToken cancellationToken)
    {
        // Continues on the loop that completes it: all it does there is to post the outcome.
        var result = new TaskCompletionSource<ClientMessage.ToolResultFields>();
        _awaitedResults[invocation.Id] = result;
        _outbox.ClientToolInvocation(invocation.Tool.Name, invocation.Id, ToolSchema.BodyParameters(invocation, context));
        return AwaitClientAsync(answer, invocation, result.Task, cancellationToken);
    }

    private static async Task<ToolOutcome> AwaitClientAsync(
        Answer answer, Invocation invocation, Task<ClientMessage.ToolResultFields> result, CancellationToken cancellationToken)
        => ToOutcome(answer, invocation, await result.WaitAsync(cancellationToken));

    private static ToolOutcome ToOutcome(Answer answer, Invocation invocation, ClientMessage.ToolResultFields fields)
    {
        if (fields.ErrorType is { Length: > 0 } errorType)
        {
            var why = fields.ErrorMessage is { Length: > 0 } message ? message : errorType == "undefined" ? "The client does not implement this tool." : "The client's tool failed.";
            return Failed(answer, invocation, why);
        }
        return new ToolOutcome(answer, invocation, fields.Result ?? "")
        {
            Reaction = ToolSchema.ReadReaction(fields.AgentReaction),
            HangsUp = fields.ResponseType == "hang-up",
            NewStage = fields.ResponseType == "new-stage" ? fields.Result ?? "" : null,
            UpdateCallState = fields.UpdateCallState,
            ErrorDetails = fields.ResponseType == "new-stage" ? "Stage changes are not served yet: the call stays in its stage." : null,
        };
    }

    private static ToolOutcome Failed(Answer answer, Invocation invocation, string why)
        => new(answer, invocation, $"Error: {why}") { ErrorDetails = why, Reaction = ToolReaction.Speaks };

    private void OnToolResult(ClientMessage.ToolResultFields fields)
    {
        if (_awaitedResults.Remove(fields.InvocationId, out var awaited) && awaited.TrySetResult(fields)) return;
        _log.Write(Severity.Warning, "unexpected_tool_result", "A tool result came for no running invocation; it was ignored.");
    }

    private void OnToolFinished(ToolOutcome outcome)
    {
        var (answer, invocation) = (outcome.Answer, outcome.Invocation);
        if (!answer.Running.Remove(invocation.Id)) return;
        _awaitedResults.Remove(invocation.Id);
        CallTelemetry.ToolDuration.Record(_parts.Clock.GetElapsedTime(invocation.StartTimestamp).TotalSeconds, new KeyValuePair<string, object?>("failed", outcome.ErrorDetails is not null));
        if (outcome.ErrorDetails is { } details) _log.Write(Severity.Error, "tool_error", $"{invocation.Tool.Name}: {details}");
        _outbox.ToolUsed(invocation.Tool.Name, invocation.Id, outcome.ErrorDetails is not null);
        if (outcome.UpdateCallState is { } update) UpdateCallState(update);
        AddToolResult(invocation.Id, invocation.Tool.Name, outcome.Result, outcome.ErrorDetails, outcome.UpdateCallState is not null);
        var reaction = outcome.Reaction ?? DefaultReaction(invocation.Tool);
        if (reaction > answer.Reaction) answer.Reaction = reaction;
        if (outcome.HangsUp) EndAfterSpeech(EndReason.AgentHangup);
        if (answer.Running.Count == 0 && _outcome is null) AfterTools(answer);
    }

    private static ToolReaction DefaultReaction(CallTool tool) => tool.Definition.DefaultReaction switch
    {
        AgentReaction.Listens => ToolReaction.Listens,
        AgentReaction.SpeaksOnce => ToolReaction.SpeaksOnce,
        _ => ToolReaction.Speaks,
    };

    /// <summary>All tools of the round are done: generates again, unless they, the user or the end of the call say otherwise.</summary>
    private void AfterTools(Answer answer)
    {
        var speaks = answer.Reaction == ToolReaction.Speaks || (answer.Reaction == ToolReaction.SpeaksOnce && !answer.HasSpoken);
        if (_answer != answer || _farewell is { ThenEnd: not null } || !speaks)
        {
            FinishAnswer(answer);
            return;
        }
        if (!UserHasFloor)
        {
            StartRound(answer);
            return;
        }
        // The user speaks: what they say belongs into the next generation.
        _answerDue = true;
        FinishAnswer(answer);
    }

    private void UpdateCallState(JsonObject update)
    {
        foreach (var (key, value) in update) _callState[key] = value?.DeepClone();
    }

    private void AddToolCall(string id, string name, string arguments)
        => _history.Add(_clock.Stamp(new Message { Role = MessageRole.ToolCall, Text = arguments, InvocationId = id, ToolName = name, Medium = _outputMedium }, _clock.Now));

    private void AddToolResult(string id, string name, string result, string? errorDetails, bool withState = false)
        => _history.Add(_clock.Stamp(
            new Message
            {
                Role = MessageRole.ToolResult,
                Text = result,
                InvocationId = id,
                ToolName = name,
                ErrorDetails = errorDetails,
                Medium = _outputMedium,
                CallState = withState ? (JsonObject)_callState.DeepClone() : null,
            },
            _clock.Now));
}
