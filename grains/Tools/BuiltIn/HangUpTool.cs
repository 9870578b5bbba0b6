namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>Ends the call once all that was said has been heard; unless strict, only where the user then lets it end.</summary>
internal sealed class HangUpTool : IBuiltInTool
{
    public void Check(BuiltInParameters parameters) => parameters.Flag("strict", true);

    public Task<ToolOutcome> RunAsync(BuiltInParameters parameters, ICallControl call, CancellationToken cancellationToken)
    {
        var outcome = parameters.Flag("strict", true)
            ? new ToolOutcome("The call ends.") { HangsUp = true }
            : new ToolOutcome("The call ends unless the user goes on with it.") { HangsUpUnlessUserActs = true };
        return Task.FromResult(outcome with { Reaction = ToolReaction.Listens });
    }
}
