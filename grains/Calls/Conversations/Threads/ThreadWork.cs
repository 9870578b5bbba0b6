using System.Diagnostics;
using System.Threading.Channels;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>Runs the model requests and the tools of a call's threads beside its loop.</summary>
/// <param name="parts">Model and clock of the call.</param>
/// <param name="events">The conversation's inbox.</param>
/// <param name="results">Of tools at the far end, shared with the main conversation.</param>
/// <param name="runTool">Runs one tool to its end or its timeout, from the loop on; null when nobody wants the outcome any more.</param>
/// <param name="callId">For traces.</param>
internal sealed class ThreadWork(
    ConversationParts parts, ChannelWriter<ConversationEvent> events, AwaitedResults results, Func<CallThread, Invocation, CancellationToken, Task<ToolOutcome?>> runTool, string callId) : IThreadWork
{
    public void StartGeneration(CallThread thread, long generation, ModelRequest request, CancellationToken cancellationToken)
        => _ = GenerateAsync(thread, generation, request, cancellationToken);

    public void StartTool(CallThread thread, Invocation invocation, CancellationToken cancellationToken) => _ = RunAsync(thread, invocation, cancellationToken);

    public void GiveUp(string invocationId) => results.GiveUp(invocationId);

    private async Task GenerateAsync(CallThread thread, long generation, ModelRequest request, CancellationToken cancellationToken)
    {
        using var activity = CallTelemetry.Source.StartActivity("thread_model_request", ActivityKind.Client);
        activity?.SetTag("call_id", callId);
        using var silence = new CancellationTokenSource(parts.Options.AnswerTimeout, parts.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        ProviderException? failure = null;
        try
        {
            await Task.Yield();     // the loop goes on before the provider's first await
            await foreach (var delta in parts.Model.GenerateAsync(request, either.Token))
            {
                silence.CancelAfter(parts.Options.AnswerTimeout);
                Post(new ThreadSignal.Output(thread, generation, delta));
            }
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
            failure = silence.IsCancellationRequested ? new ProviderException("model", ProviderFault.TimedOut, $"The model was silent for {parts.Options.AnswerTimeout.TotalSeconds:0} s.", exception)
                : exception as ProviderException ?? new ProviderException("model", ProviderFault.BadAnswer, $"The model failed: {exception.GetType().Name}.", exception);
        }
        Post(new ThreadSignal.Output(thread, generation, null, failure));
    }

    private async Task RunAsync(CallThread thread, Invocation invocation, CancellationToken cancellationToken)
    {
        var run = runTool(thread, invocation, cancellationToken);
        var fixedResponse = invocation.Tool.Definition.StaticResponse;
        if (fixedResponse is not null) Post(new ThreadSignal.ToolFinished(thread, invocation, new ToolOutcome(fixedResponse.ResponseText ?? ""), IsUnused: false));
        if (await run is { } outcome) Post(new ThreadSignal.ToolFinished(thread, invocation, outcome, IsUnused: fixedResponse is not null));
    }

    private void Post(ThreadSignal signal) => events.TryWrite(new(EventKind.Thread, signal));
}
