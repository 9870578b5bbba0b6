using System.Text;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>
/// One thread of a call: its own history, call state, tools and limits, and the state machine between its messages, its model and its tools. Driven by the
/// conversation's loop alone. This file has its life and its messages, the other one its tools.
/// </summary>
internal sealed partial class CallThread : IDisposable
{
    private const int MostWaitingMessages = 16;
    private readonly ThreadFork _fork;
    private readonly ThreadSurroundings _around;
    private readonly ThreadUsage _usage;
    private readonly EndingToken _life;
    private readonly IReadOnlyList<ModelTool> _modelTools;
    private readonly Queue<ClientMessage> _waiting = new();
    private readonly StringBuilder _text = new();
    private readonly List<ModelDelta.ToolCall> _toolCalls = [];
    private EndingToken? _generating;
    private ModelRequest? _request;
    private ModelDelta.Usage? _told;
    private long _queuedAt;
    private int _rounds;
    private bool _mayGenerate;

    public CallThread(string id, ThreadFork fork, ThreadLimits limits, ThreadSurroundings around)
    {
        (Id, _fork, _around) = (id, fork, around);
        _usage = new ThreadUsage(limits);
        _life = new EndingToken(around.CallCancellation);
        _modelTools = [.. fork.Tools.Where(CanRun).Select(ToolSchema.ForModel)];
        History = new ThreadHistory(fork.Messages);
        CallState = (JsonObject)fork.CallState.DeepClone();
    }

    public string Id { get; }
    public CallThreadState State { get; private set; }
    public ThreadHistory History { get; }

    /// <summary>A copy made at the fork: what tools of the thread change in it stays in the thread.</summary>
    public JsonObject CallState { get; private set; }

    /// <summary>Messages that came while it was busy.</summary>
    public int Waiting => _waiting.Count;
    public long Generations => _usage.Generations;
    public bool IsOver => State is CallThreadState.Failed or CallThreadState.Ended;

    /// <summary>What a thread can be forked with: this one as it is now.</summary>
    public ThreadFork Fork() => _fork with { Messages = [.. History.Messages], CallState = CallState };

    /// <summary>Takes the messages that it was spawned with, and goes on as its history asks.</summary>
    public void Start(IReadOnlyList<ClientMessage> messages)
    {
        foreach (var message in messages) Apply(message);
        if (State == CallThreadState.CallingTool) return;
        _mayGenerate |= messages.Count == 0 && History.InvitesAnswer;
        Settle();
    }

    /// <summary>A message to this thread: at once when it is idle or the message is immediate, else when what it is at is done.</summary>
    public void Take(ClientMessage message)
    {
        if (IsOver)
        {
            _around.Reports.Note("thread_message_ignored", Id, "A message came for a thread that has failed; it was ignored.");
            return;
        }
        if (_waiting.Count == MostWaitingMessages)
        {
            _around.Reports.Note("thread_message_ignored", Id, $"More than {MostWaitingMessages} messages waited for a thread; this one was ignored.");
            return;
        }
        _waiting.Enqueue(message);
        if (State == CallThreadState.Generating && UrgencyOf(message) == Urgency.Immediate) CutShort();
        else if (State == CallThreadState.Idle) Settle();
    }

    /// <summary>It may generate now.</summary>
    public void OnSlot()
    {
        if (_usage.RefusalOf(_request!) is { } passed)
        {
            End(passed);
            return;
        }
        _usage.Begin();
        _generating = new EndingToken(_life.Token);
        _around.Reports.Generating(_queuedAt);
        _around.Work.StartGeneration(this, Generations, _request! with { MaxOutputTokens = _usage.MostOutputTokens }, _generating.Token);
    }

    public void On(ThreadSignal.Output output)
    {
        if (_generating is null || output.Generation != Generations) return;
        switch (output.Delta)
        {
            case ModelDelta.Text text: OnText(text.Value); break;
            case ModelDelta.ToolCall call: OnToolCall(call); break;
            case ModelDelta.Usage usage: _told = usage; break;
            case null: OnGenerated(output.Failure); break;
        }
    }

    /// <summary>Ends it: everything that runs for it is cancelled. Its id is free.</summary>
    public void End(string reason)
    {
        if (State == CallThreadState.Ended) return;
        var failed = State == CallThreadState.Failed;
        Stop(CallThreadState.Ended);
        if (!failed) _around.Reports.Terminated(Id, reason);
        _around.OnEnded(this);
    }

    public void Dispose()
    {
        _generating?.Cancel();
        _life.Cancel();
    }

    private bool IsLastRound => _rounds == _around.Options.MaxModelRounds;

    private static Urgency UrgencyOf(ClientMessage message) => message switch
    {
        ClientMessage.UserText text => text.Urgency,
        ClientMessage.ForcedAgent forced => forced.Urgency,
        _ => Urgency.Soon,
    };

    /// <summary>Nothing runs: takes what waits, and then generates if there is something to answer.</summary>
    private void Settle()
    {
        State = CallThreadState.Idle;
        while (State == CallThreadState.Idle && _waiting.TryDequeue(out var message))
        {
            _rounds = 0;
            Apply(message);
        }
        if (State != CallThreadState.Idle) return;
        if (History.Characters > _around.Options.MaxThreadCharacters) End($"The thread's history is longer than {_around.Options.MaxThreadCharacters} characters.");
        else if (_mayGenerate) Generate();
    }

    /// <summary>Puts a message into the history. Tool calls without results start at once.</summary>
    private void Apply(ClientMessage message)
    {
        switch (message)
        {
            case ClientMessage.UserText text:
                History.AddUser(text.Text);
                _mayGenerate |= text.Urgency != Urgency.Later;
                break;
            case ClientMessage.ForcedAgent forced:
                if (!string.IsNullOrWhiteSpace(forced.Content)) History.AddAgent(forced.Content);
                // The agent has said what there was to say; its tools may ask for more.
                _mayGenerate = false;
                _hasSpoken = !string.IsNullOrWhiteSpace(forced.Content);
                if (forced.ToolCalls.Count > 0) Call(forced);
                break;
        }
    }

    private void Generate()
    {
        _mayGenerate = false;
        _rounds++;
        if (IsLastRound) _around.Reports.Note("too_many_tool_rounds", Id, $"The model of a thread called tools {_rounds - 1} times in one answer; now it must answer without.");
        State = CallThreadState.Generating;
        _text.Clear();
        _toolCalls.Clear();
        _told = null;
        _queuedAt = _around.Clock.GetTimestamp();
        var messages = History.ForModel();
        if (IsLastRound) messages.Add(new ChatMessage(ChatRole.System, _around.Options.NoMoreToolsPrompt));
        _request = new ModelRequest(_fork.ModelName, _fork.SystemPrompt, messages, IsLastRound ? [] : _modelTools, _fork.Temperature);
        _around.Slots.Request(this);
    }

    private void OnText(string text)
    {
        if (text.Length == 0) return;
        _text.Append(text);
        _around.Reports.Delta(Id, text);
        if (_usage.IsFarOver(_text.Length)) CutShort();
        else if (_text.Length > Utterance.LongestText)
        {
            _around.Reports.Note("answer_too_long", Id, $"The model of a thread wrote more than {Utterance.LongestText} characters; the rest is left out.");
            CutShort();
        }
    }

    private void OnToolCall(ModelDelta.ToolCall call)
    {
        if (IsLastRound) return;        // it was told that there are no more tools
        if (_toolCalls.Count < _around.Options.MaxParallelTools) _toolCalls.Add(call with { Id = _around.NewInvocationId(call.Id) });
        else _around.Reports.Note("too_many_tools", Id, $"The model of a thread called more than {_around.Options.MaxParallelTools} tools at once; the rest is left out.");
    }

    private void OnGenerated(ProviderException? failure)
    {
        if (failure is not null)
        {
            Stop(CallThreadState.Failed);
            History.Clear();
            _around.Reports.Failed(Id, failure.Message);
            return;
        }
        var passed = FinishGeneration();
        _around.Slots.Release(this);
        if (passed is not null) End(passed);
        else if (_toolCalls.Count > 0) Call([.. _toolCalls]);
        else Settle();
    }

    /// <summary>Something is more urgent than the rest of the generation; what was written of it stays. Its tool calls were never made.</summary>
    private void CutShort()
    {
        _toolCalls.Clear();
        _mayGenerate |= _generating is null;        // it had not begun: what it was to answer is not answered
        var passed = _generating is null ? null : FinishGeneration();
        _around.Slots.Release(this);
        if (passed is not null) End(passed);
        else Settle();
    }

    private string? FinishGeneration()
    {
        _generating!.Cancel();
        _generating = null;
        var text = _text.ToString();
        _hasSpoken = !string.IsNullOrWhiteSpace(text);
        if (_hasSpoken) History.AddAgent(text.Trim());
        _around.Reports.Completed(Id, text, _toolCalls);
        return _usage.Add(_request!, text.Length + _toolCalls.Sum(call => call.Name.Length + call.Arguments.Length), _told);
    }

    private void Stop(CallThreadState state)
    {
        var generating = State == CallThreadState.Generating;
        State = state;
        Dispose();
        _generating = null;
        _waiting.Clear();
        foreach (var id in _running.Keys) _around.Work.GiveUp(id);
        _running.Clear();
        if (generating) _around.Slots.Release(this);
    }
}
