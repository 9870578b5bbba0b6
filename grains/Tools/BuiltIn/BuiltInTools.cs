using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>The built-in tools by name.</summary>
internal static class BuiltInTools
{
    /// <summary>For one run: a transfer rings for a while, and may have to wait for words that are still being said.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    private static readonly Dictionary<string, IBuiltInTool> ByName = new(StringComparer.Ordinal)
    {
        ["hangUp"] = new HangUpTool(),
        ["leaveVoicemail"] = new LeaveVoicemailTool(),
        ["playDtmfSounds"] = new PlayDtmfSoundsTool(),
        ["queryCorpus"] = new QueryCorpusTool(),
        ["coldTransfer"] = new ColdTransferTool(),
        ["warmTransfer"] = new WarmTransferTool(),
    };

    /// <summary>Checks what a call or agent overrides, each problem at its field.</summary>
    public static void Check(string name, JsonObject overrides, InputErrors errors) => ByName[name].Check(new(overrides, errors));

    /// <summary>Whether a parameter of a built-in tool is for the far end of a transfer alone, and must not be shown with the call.</summary>
    public static bool IsSecret(string parameter) => parameter == "password";

    public static async Task<ToolOutcome> RunAsync(string name, JsonObject parameters, ICallControl call, CancellationToken cancellationToken)
    {
        var tool = ByName[name];
        var given = new BuiltInParameters(parameters, new InputErrors());
        tool.Check(given);
        return given.Problem is { } problem ? ToolOutcome.Failed(problem) : await tool.RunAsync(given, call, cancellationToken);
    }
}
