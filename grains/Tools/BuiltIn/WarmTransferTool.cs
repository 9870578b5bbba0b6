using VoiceGrains.Grains.Transfers;

namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>Calls somebody, tells them what the conversation is about, and connects the user once they accept.</summary>
internal sealed class WarmTransferTool : IBuiltInTool
{
    private const int LongestText = 20_000;

    public void Check(BuiltInParameters parameters) => Read(parameters);

    public async Task<ToolOutcome> RunAsync(BuiltInParameters parameters, ICallControl call, CancellationToken cancellationToken)
    {
        if (call.Transfers is not { CanTransferWarm: true } medium) return ColdTransferTool.NotHere;
        if (Read(parameters) is not { Target.Length: > 0 } transfer) return ColdTransferTool.NoTarget;
        await call.WhenAllHeard(cancellationToken);
        return ColdTransferTool.ToOutcome(await medium.TransferAsync(transfer, cancellationToken));
    }

    private static WarmTransfer Read(BuiltInParameters parameters)
    {
        var context = parameters.Prose("context", LongestText) ?? "";
        return new WarmTransfer
        {
            Target = TransferTarget.Read(parameters, allowsNumbers: false) ?? "",
            Context = context,
            Type = (WarmTransferType)parameters.Choice("transferType", "TRY_REFER", "REFER", "BRIDGE"),
            SystemPrompt = parameters.Prose("transferSystemPromptTemplate", LongestText)?.Replace("{context}", context, StringComparison.Ordinal),
            InviteHeaders = parameters.Headers("inviteHeaders"),
            ReferHeaders = parameters.Headers("referHeaders"),
            HoldMusicUrl = parameters.Url("holdMusicUrl"),
            From = parameters.Text("from"),
            Username = parameters.Text("username"),
            Password = parameters.Text("password"),
        };
    }
}
