using VoiceGrains.Grains.Calls.Conversations;

namespace VoiceGrains.Grains.Tools;

/// <summary>Runs the built-in and HTTP tools.</summary>
internal sealed class ToolInvoker(HttpToolInvoker http) : IToolInvoker
{
    public const string HangUp = "hangUp";

    public Task<ToolOutcome> InvokeAsync(Invocation invocation, ToolContext context, CancellationToken cancellationToken)
    {
        if (invocation.Tool.BuiltIn == HangUp) return Task.FromResult(new ToolOutcome("The call ends.") { HangsUp = true, Reaction = ToolReaction.Listens });
        if (invocation.Tool.Definition.Http is not null) return http.InvokeAsync(invocation, context, cancellationToken);
        return Task.FromResult(ToolOutcome.Failed("This tool is not available on this server yet."));
    }
}
