using System.Diagnostics;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations.Threads;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Tools.BuiltIn;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>One run of a tool: HTTP and built-in ones beside the loop, client ones at the far end, all with a timeout over everything.</summary>
internal sealed partial class Conversation
{
    private readonly AwaitedResults _results = new();
    private JsonObject _callState;
    /// <summary>Given to tools that require one; nobody can make it up, and it is worth nothing once the call is over.</summary>
    private readonly string _callToken = JoinToken.Create();

    /// <summary>Runs on the loop until its first await; then posts the outcome, unless the call or, before it was committed, the answer is over.</summary>
    private async Task RunToolAsync(ToolRound round, ToolUse use, Invocation invocation)
    {
        var run = MeasureToolAsync(round.Answer.Span?.Context ?? default, invocation, ContextFor(invocation.Tool), round.Answer.Cancellation);
        var fixedResponse = invocation.Tool.Definition.StaticResponse;
        if (fixedResponse is not null) Post(new ToolOutcome(fixedResponse.ResponseText ?? ""), isUnused: false);
        if (await run is { } outcome) Post(outcome, isUnused: fixedResponse is not null);

        void Post(ToolOutcome given, bool isUnused) => _inbox.Writer.TryWrite(new(EventKind.ToolFinished, new FinishedTool(round, use, given) { IsUnused = isUnused }));
    }

    /// <summary>Null when nobody wants the outcome any more, since what called the tool ended.</summary>
    private async Task<ToolOutcome?> MeasureToolAsync(ActivityContext parent, Invocation invocation, ToolContext context, CancellationToken ends)
    {
        var start = _parts.Clock.GetTimestamp();
        var kind = ToolSchema.KindOf(invocation.Tool);
        using var activity = CallTelemetry.Source.StartActivity("tool", ActivityKind.Client, parent);
        activity?.SetTag("call_id", _settings.CallId);
        activity?.SetTag("tool", invocation.Tool.Name);
        activity?.SetTag("kind", kind);
        var outcome = await TryRunToolAsync(invocation, context, ends);
        var failed = outcome?.ErrorDetails is not null;
        if (failed) activity?.SetStatus(ActivityStatusCode.Error);
        if (outcome is not null) CallTelemetry.ToolDuration.Record(_parts.Clock.GetElapsedTime(start).TotalSeconds, new("kind", kind), new("failed", failed));
        return outcome;
    }

    private async Task<ToolOutcome?> TryRunToolAsync(Invocation invocation, ToolContext context, CancellationToken ends)
    {
        var timeout = ToolSchema.TimeoutOf(invocation.Tool);
        using var patience = new CancellationTokenSource(timeout, _parts.Clock);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ends, _cancellation.Token);
        try
        {
            if (invocation.Tool.BuiltIn is { } builtIn && context.ThreadId == CallThreads.MainId) return await BuiltInTools.RunAsync(builtIn, ToolParameters.Body(invocation, context), this, any.Token);
            return invocation.Tool.Definition is { Client: null, DataConnection: null } ? await _parts.Tools.InvokeAsync(invocation, context, any.Token) : await AskFarEndAsync(invocation, context, any.Token);
        }
        catch (OperationCanceledException) when (!patience.IsCancellationRequested)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            return ToolOutcome.Failed($"The tool did not answer within {timeout.TotalSeconds:0.#} seconds.");
        }
        catch (Exception exception)
        {
            return ToolOutcome.Failed("The tool failed.", $"The tool failed: {exception.GetType().Name}: {exception.Message}");
        }
    }

    /// <summary>What the tool may know of the call. The history is long: it is written out only for a tool that asks for it.</summary>
    /// <param name="thread">Whose tool it is; null for the main conversation.</param>
    private ToolContext ContextFor(CallTool tool, CallThread? thread = null) => new()
    {
        CallId = _settings.CallId,
        CallStageId = _stage.CallStageId,
        OutputSampleRateHz = _port.OutputSampleRateHz,
        CallState = (JsonObject)(thread?.CallState ?? _callState).DeepClone(),
        Metadata = _settings.Metadata,
        CallToken = _callToken,
        SharedSecrets = _stage.SharedSecrets,
        Now = _parts.Clock.GetUtcNow(),
        ConversationHistory = ToolSchema.Asks(tool, KnownParameter.ConversationHistory) ? thread?.History.ToJson() ?? _history.ToJson() : [],
        ThreadId = thread?.Id ?? CallThreads.MainId,
        ThreadStates = ToolSchema.Asks(tool, KnownParameter.ThreadStates) ? _threads.States() : [],
    };

    private async Task<ToolOutcome> AskFarEndAsync(Invocation invocation, ToolContext context, CancellationToken cancellationToken)
    {
        var runner = invocation.Tool.Definition.Client is not null ? MessageSource.Client : MessageSource.DataConnection;
        var parameters = ToolParameters.Body(invocation, context);
        if (runner == MessageSource.Client) _outbox.ClientToolInvocation(invocation.Tool.Name, invocation.Id, parameters);
        else if (!_outbox.DataConnectionToolInvocation(invocation.Tool.Name, invocation.Id, parameters))
            return ToolOutcome.Failed("The server that runs this tool is not connected.");
        return ToOutcome(await _results.ExpectAsync(invocation.Id, runner, cancellationToken), runner);
    }

    /// <summary>Reads what a client, a data connection or a forced message says that a tool gave.</summary>
    internal static ToolOutcome ToOutcome(ClientMessage.ToolResultFields fields, MessageSource runner = MessageSource.Client)
    {
        var who = runner == MessageSource.DataConnection ? "server" : "client";
        var problem = fields.ErrorType switch
        {
            null or "" => null,
            "undefined" => $"The {who} does not implement this tool.",
            _ => $"The {who}'s tool failed.",
        };
        if (problem is not null || fields.ErrorMessage is { Length: > 0 })
            return ToolOutcome.Failed(fields.ErrorMessage is { Length: > 0 } message ? message : problem!) with { Reaction = ToolSchema.ReadReaction(fields.AgentReaction), UpdateCallState = fields.UpdateCallState };
        var isKnown = fields.ResponseType is "" or "tool-response" or "hang-up" or "new-stage";
        return new ToolOutcome(fields.Result ?? "")
        {
            Reaction = ToolSchema.ReadReaction(fields.AgentReaction),
            HangsUp = fields.ResponseType == "hang-up",
            NewStage = fields.ResponseType == "new-stage" ? fields.Result ?? "" : null,
            UpdateCallState = fields.UpdateCallState,
            Warning = isKnown ? null : "The response type is unknown; the result is taken as a plain one.",
        };
    }

    private void OnToolResult(ClientMessage.ToolResultFields fields, MessageSource from)
    {
        if (_results.Take(fields, from) is { } unexpected) _log.Write(Severity.Warning, "unexpected_tool_result", unexpected);
    }

    private History.Entry AddToolResult(string id, string name, string result, string? errorDetails, bool withState = false)
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
