using VoiceGrains.Grains.Transfers;

namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>Hands the user over to somebody else and leaves.</summary>
internal sealed class ColdTransferTool : IBuiltInTool
{
    public void Check(BuiltInParameters parameters) => Read(parameters);

    public async Task<ToolOutcome> RunAsync(BuiltInParameters parameters, ICallControl call, CancellationToken cancellationToken)
    {
        if (call.Transfers is not { } medium) return NotHere;
        if (Read(parameters) is not { Target.Length: > 0 } transfer) return NoTarget;
        await call.WhenAllHeard(cancellationToken);
        return ToOutcome(await medium.TransferAsync(transfer, cancellationToken));
    }

    internal static ToolOutcome NotHere => ToolOutcome.Failed("This call cannot be transferred: its connection has no way to do that. Tell the user, and help as well as you can.");

    internal static ToolOutcome NoTarget => ToolOutcome.Failed("It is not set up whom to transfer to.");

    internal static ToolOutcome ToOutcome(string? problem)
        => problem is null ? new ToolOutcome("The call was transferred.") { HangsUp = true, Reaction = ToolReaction.Listens } : ToolOutcome.Failed($"The transfer failed, and the user is still here. {problem}");

    private static ColdTransfer Read(BuiltInParameters parameters) => new()
    {
        Target = TransferTarget.Read(parameters, allowsNumbers: true) ?? "",
        IsBridge = parameters.Choice("sipVerb", "REFER", "INVITE") == 1,
        ExtraHeaders = parameters.Headers("extraHeaders"),
        HoldMusicUrl = parameters.Url("holdMusicUrl"),
        From = parameters.Text("from"),
        Username = parameters.Text("username"),
        Password = parameters.Text("password"),
    };
}
