namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>Says the message and hangs up after it; unless strict, a user who speaks keeps the call.</summary>
internal sealed class LeaveVoicemailTool : IBuiltInTool
{
    private const int LongestMessage = 5_000;

    public void Check(BuiltInParameters parameters)
    {
        parameters.Flag("strict", true);
        parameters.Prose("result", LongestMessage);
        if (parameters.Prose("message", LongestMessage) is { } message && string.IsNullOrWhiteSpace(message)) parameters.Refuse("message", "There must be something to say.");
    }

    public Task<ToolOutcome> RunAsync(BuiltInParameters parameters, ICallControl call, CancellationToken cancellationToken)
    {
        if (parameters.Prose("message", LongestMessage) is not { } message) return Task.FromResult(ToolOutcome.Failed("There is nothing to say: set 'message'."));
        call.SayAndEnd(message, unlessUserActs: !parameters.Flag("strict", true));
        return Task.FromResult(new ToolOutcome(parameters.Prose("result", LongestMessage) ?? "") { Reaction = ToolReaction.Listens });
    }
}
