using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Stages;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Validation;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>A thread's tools: those that its model calls, and those of forced messages.</summary>
internal sealed partial class CallThread
{
    private const string QueryCorpus = "queryCorpus";
    private const string NotHere = "This tool acts on the voice call: only the main conversation can use it.";
    private readonly Dictionary<string, Invocation> _running = [];
    private ToolReaction _reaction;
    /// <summary>Something was said before the tools of this round.</summary>
    private bool _hasSpoken;

    private bool Speaks => _reaction == ToolReaction.Speaks || (_reaction == ToolReaction.SpeaksOnce && !_hasSpoken);

    public void On(ThreadSignal.ToolFinished finished)
    {
        if (finished.IsUnused)
        {
            // The model has its answer; a failure of the tool must not be lost all the same.
            _around.Reports.ToolProblems(Id, finished.Invocation, finished.Outcome);
            return;
        }
        var invocation = finished.Invocation;
        if (!_running.Remove(invocation.Id)) return;
        if (invocation.Tool.Definition.StaticResponse is null) _around.Work.GiveUp(invocation.Id);
        var outcome = ThreadOutcome.Of(finished.Outcome);
        _around.Reports.ToolFinished(Id, invocation, outcome);
        AddResult(invocation.Id, invocation.Tool.Name, outcome, invocation.Tool);
        if (_running.Count == 0) AfterTools();
    }

    /// <summary>Whether a tool can run in a thread: the built-in ones that act on the voice call cannot.</summary>
    private static bool CanRun(CallTool tool) => tool.BuiltIn is null or QueryCorpus;

    private void Call(IReadOnlyList<ModelDelta.ToolCall> calls)
    {
        BeginTools();
        foreach (var call in calls) History.AddToolCall(call.Id, call.Name, call.Arguments);
        foreach (var call in calls) Run(call);
        if (_running.Count == 0) AfterTools();
    }

    /// <summary>The tools of a forced message run as the model's own do; those with a known result do not run at all.</summary>
    private void Call(ClientMessage.ForcedAgent forced)
    {
        BeginTools();
        var known = forced.KnownResults.GroupBy(result => result.InvocationId, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        var calls = forced.ToolCalls.Select(call => (Call: new ModelDelta.ToolCall(_around.NewInvocationId(call.Id), call.Name, call.Arguments.ToJsonString()), Known: known.GetValueOrDefault(call.Id))).ToArray();
        foreach (var (call, _) in calls) History.AddToolCall(call.Id, call.Name, call.Arguments);
        foreach (var (call, result) in calls)
        {
            if (result is null) Run(call);
            else AddResult(call.Id, call.Name, ThreadOutcome.Of(Conversation.ToOutcome(result)), FindTool(call.Name));
        }
        if (_running.Count > 0) return;
        State = CallThreadState.Idle;
        _mayGenerate = Speaks;
    }

    private void BeginTools() => (State, _reaction) = (CallThreadState.CallingTool, ToolReaction.Listens);

    private CallTool? FindTool(string name) => _fork.Tools.FirstOrDefault(tool => tool.Name == name);

    private void Run(ModelDelta.ToolCall call)
    {
        var tool = FindTool(call.Name);
        if (tool is null) Refuse(call, $"There is no tool named '{JsonLeaf.Shorten(call.Name)}'. {Known}", tool);
        else if (!CanRun(tool)) Refuse(call, NotHere, tool);
        else if (!ToolArguments.TryRead(tool, call.Arguments, out var arguments, out var problem)) Refuse(call, problem, tool);
        else Start(new Invocation(call.Id, tool, arguments));
    }

    private string Known => _modelTools.Count == 0 ? "There are no tools." : $"The tools are: {string.Join(", ", _modelTools.Select(tool => tool.Name))}.";

    private void Refuse(ModelDelta.ToolCall call, string why, CallTool? tool)
    {
        _around.Reports.Note("tool_refused", Id, $"{JsonLeaf.Shorten(call.Name)}: {why}");
        AddResult(call.Id, call.Name, ToolOutcome.Failed(why), tool);
    }

    private void Start(Invocation invocation)
    {
        _running.Add(invocation.Id, invocation);
        _around.Reports.ToolStarted(invocation);
        _around.Work.StartTool(this, invocation, _life.Token);
    }

    private void AddResult(string id, string name, ToolOutcome outcome, CallTool? tool)
    {
        var changesState = outcome.UpdateCallState is { } update && UpdateCallState(update);
        History.AddToolResult(id, name, outcome.Result, outcome.ErrorDetails, changesState ? (JsonObject)CallState.DeepClone() : null);
        var reaction = outcome.Reaction ?? (outcome.ErrorDetails is not null || tool is null ? ToolReaction.Speaks : ToolSchema.DefaultReaction(tool));
        if (reaction > _reaction) _reaction = reaction;
    }

    /// <summary>False, and nothing changes, when the state would become too large.</summary>
    private bool UpdateCallState(JsonObject update)
    {
        var merged = SharedState.Merge(CallState, update);
        if (SharedState.ProblemOf(merged) is { } problem)
        {
            _around.Reports.Note("call_state_refused", Id, $"A tool's update of a thread's call state was refused. {problem}");
            return false;
        }
        CallState = merged;
        return true;
    }

    private void AfterTools()
    {
        _mayGenerate |= Speaks;
        Settle();
    }
}
