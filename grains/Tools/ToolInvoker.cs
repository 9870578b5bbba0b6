namespace VoiceGrains.Grains.Tools;

/// <summary>Runs the tools that have an implementation outside of the call; built-in ones are the call's own affair.</summary>
internal sealed class ToolInvoker(HttpToolInvoker http) : IToolInvoker
{
    public Task<ToolOutcome> InvokeAsync(Invocation invocation, ToolContext context, CancellationToken cancellationToken)
    {
        if (invocation.Tool.Definition.Http is not null) return http.InvokeAsync(invocation, context, cancellationToken);
        return Task.FromResult(ToolOutcome.Failed("This tool works only in the main conversation of a live call."));
    }
}
