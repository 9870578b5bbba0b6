namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>One tool that the server itself carries out; its definition is in <see cref="BuiltInTool"/>. Holds no state of a call.</summary>
internal interface IBuiltInTool
{
    /// <summary>Reads what is given and tells what is wrong with it: of a selection's overrides, and of everything before it runs.</summary>
    void Check(BuiltInParameters parameters);

    /// <summary>Runs on the call's loop up to its first await. What is wrong with the parameters has been told by then.</summary>
    Task<ToolOutcome> RunAsync(BuiltInParameters parameters, ICallControl call, CancellationToken cancellationToken);
}
