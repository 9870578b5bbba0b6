namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>This server has no corpora; the model is told so instead of finding nothing.</summary>
internal sealed class QueryCorpusTool : IBuiltInTool
{
    public void Check(BuiltInParameters parameters)
    {
    }

    public Task<ToolOutcome> RunAsync(BuiltInParameters parameters, ICallControl call, CancellationToken cancellationToken)
        => Task.FromResult(ToolOutcome.Failed("There is no knowledge base on this server, so that nothing could be looked up. Do not look up anything else; answer from what you know, or say that you do not know."));
}
