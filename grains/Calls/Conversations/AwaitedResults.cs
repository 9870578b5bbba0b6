using ToolResultFields = VoiceGrains.Grains.Calls.Conversations.ClientMessage.ToolResultFields;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Tools that somebody at the far end runs: who still waits for a result, and why a result is not waited for. Used by the loop only.</summary>
internal sealed class AwaitedResults
{
    private static readonly TaskCompletionSource<ToolResultFields> Answered = new();
    private static readonly TaskCompletionSource<ToolResultFields> GivenUp = new();
    private readonly Dictionary<string, (TaskCompletionSource<ToolResultFields> Result, MessageSource Runner)> _invocations = new(StringComparer.Ordinal);

    /// <summary>The result, once the far end sends it.</summary>
    /// <param name="runner">Who runs the tool: nobody else can answer for it.</param>
    public Task<ToolResultFields> ExpectAsync(string invocationId, MessageSource runner, CancellationToken cancellationToken)
    {
        // Continues on the loop that completes it: all it does there is to post the outcome.
        var result = new TaskCompletionSource<ToolResultFields>();
        _invocations[invocationId] = (result, runner);
        return result.Task.WaitAsync(cancellationToken);
    }

    /// <summary>The tool is over: a result that comes now is too late.</summary>
    public void GiveUp(string invocationId)
    {
        if (_invocations.TryGetValue(invocationId, out var awaited) && awaited.Result != Answered) _invocations[invocationId] = awaited with { Result = GivenUp };
    }

    /// <summary>Hands a result to whom it is for.</summary>
    /// <returns>Null, or why nobody waits for it.</returns>
    public string? Take(ToolResultFields fields, MessageSource from)
    {
        if (!_invocations.TryGetValue(fields.InvocationId, out var awaited)) return "A tool result came for no invocation of this call; it was ignored.";
        if (awaited.Runner != from) return "A tool result came from somebody who does not run the tool; it was ignored.";
        var result = awaited.Result;
        if (result == Answered) return "A tool result came a second time; it was ignored.";
        if (result == GivenUp) return "A tool result came too late, after the tool's timeout or an interruption; it was ignored.";
        _invocations[fields.InvocationId] = awaited with { Result = Answered };
        result.TrySetResult(fields);
        return null;
    }
}
