namespace VoiceGrains.Grains.Tools;

/// <summary>Runs tools that are neither the client's nor the call's own: HTTP requests and server-side built-ins.</summary>
internal interface IToolInvoker
{
    /// <summary>Runs one tool to its end. Never throws but for cancellation: a failure is an outcome, in words for the model.</summary>
    Task<ToolOutcome> InvokeAsync(Invocation invocation, ToolContext context, CancellationToken cancellationToken);
}
