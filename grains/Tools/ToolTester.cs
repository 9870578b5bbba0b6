using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>Runs one HTTP tool outside of any call, exactly as a call would: the same checks, request, limits and words.</summary>
public sealed class ToolTester
{
    private readonly HttpToolInvoker invoker;
    private readonly TimeProvider clock;

    internal ToolTester(HttpToolInvoker invoker, TimeProvider clock) => (this.invoker, this.clock) = (invoker, clock);

    /// <param name="tool">The tool as a call would have it.</param>
    /// <param name="arguments">What the model would have filled in.</param>
    /// <param name="context">Values of automatic parameters.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="InvalidInputException">The arguments do not fit the tool's parameters, or the tool does not run on a server.</exception>
    public async Task<ToolTest> RunAsync(CallTool tool, JsonObject arguments, ToolTestContext context, CancellationToken cancellationToken)
    {
        if (tool.Definition.Http is null) throw NotHttp();
        if (!ToolArguments.TryRead(tool, arguments.ToJsonString(), out var read, out var problem)) throw new InvalidInputException("parameters", problem);
        var invocation = new Invocation($"test_{Guid.NewGuid():N}", tool, read);
        var timeout = ToolSchema.TimeoutOf(tool);
        using var patience = new CancellationTokenSource(timeout, clock);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var start = clock.GetTimestamp();
        ToolOutcome outcome;
        try
        {
            outcome = await InvokeAsync(invocation, context, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var why = FormattableString.Invariant($"The tool did not answer within {timeout.TotalSeconds:0.#} seconds.");
            return new ToolTest($"Error: {why}", null, why, "tool-response", null, timeout);
        }
        return new ToolTest(outcome.Result, Words(outcome.Reaction), outcome.ErrorDetails, ResponseType(outcome), outcome.UpdateCallState, clock.GetElapsedTime(start));
    }

    /// <summary>Tests of tools that a client or the call itself runs have nothing to run.</summary>
    public static InvalidInputException NotHttp()
    {
        var errors = new InputErrors();
        errors.AddNonField("Only HTTP tools can be tested: others are run by a client, a data connection or the call itself.");
        return new InvalidInputException(errors);
    }

    private Task<ToolOutcome> InvokeAsync(Invocation invocation, ToolTestContext given, CancellationToken cancellationToken)
    {
        var context = new ToolContext
        {
            CallId = given.CallId, CallStageId = given.CallStageId, OutputSampleRateHz = 24_000, CallState = given.CallState, Metadata = given.Metadata,
        };
        return invoker.InvokeAsync(invocation, context, cancellationToken);
    }

    private static string? Words(ToolReaction? reaction) => reaction switch
    {
        ToolReaction.Speaks => "speaks",
        ToolReaction.Listens => "listens",
        ToolReaction.SpeaksOnce => "speaks-once",
        _ => null,
    };

    private static string ResponseType(ToolOutcome outcome) => outcome.HangsUp ? "hang-up" : outcome.NewStage is not null ? "new-stage" : "tool-response";
}

/// <summary>What stands in for the call in a test.</summary>
public sealed record ToolTestContext(string CallId, string CallStageId, JsonObject CallState, IReadOnlyDictionary<string, string> Metadata);

/// <summary>How a test ended.</summary>
/// <param name="Result">What the model would read.</param>
/// <param name="AgentReaction">As the tool's answer asked for; null: the tool's default.</param>
/// <param name="ErrorDetails">Set when the tool failed; what the model does not see.</param>
/// <param name="ResponseType"><c>tool-response</c>, <c>hang-up</c> or <c>new-stage</c>.</param>
/// <param name="UpdateCallState">What the answer would change of the call's state.</param>
/// <param name="Duration">Of the request.</param>
public sealed record ToolTest(string Result, string? AgentReaction, string? ErrorDetails, string ResponseType, JsonObject? UpdateCallState, TimeSpan Duration);
