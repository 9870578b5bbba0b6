using VoiceGrains.Grains.Calls.Conversations.Threads;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Where threads are forked from the main conversation, and what they run with.</summary>
internal sealed partial class Conversation
{
    private readonly CallThreads _threads;

    private CallThreads CreateThreads()
    {
        var work = new ThreadWork(_parts, _inbox.Writer, _results, (thread, invocation, ends) => MeasureToolAsync(default, invocation, ContextFor(invocation.Tool, thread), ends), _settings.CallId);
        return new CallThreads(work, new ThreadReports(_outbox, _log, _parts.Clock), _options, _parts.Clock, Fork, MainState, NewInvocationId, _cancellation.Token);
    }

    private ThreadFork Fork() => new()
    {
        ModelName = _parts.ModelName,
        SystemPrompt = _stage.SystemPrompt,
        Temperature = _stage.Temperature,
        Tools = _stage.Tools,
        Messages = _history.Snapshot(),
        CallState = _callState,
    };

    private CallThreadState MainState() => _answer switch
    {
        { RunsTools: true } => CallThreadState.CallingTool,
        { IsGenerating: true } => CallThreadState.Generating,
        _ => CallThreadState.Idle,
    };
}
