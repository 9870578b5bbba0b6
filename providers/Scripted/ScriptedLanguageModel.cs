using System.Runtime.CompilerServices;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Providers.Scripted;

/// <summary>Says the configured sentence at once, whatever it is asked.</summary>
public sealed class ScriptedLanguageModel(ScriptedOptions options) : ILanguageModel
{
    private readonly ModelDelta _answer = new ModelDelta.Text(options.Answer);

    public bool AcceptsAudio => options.AcceptsAudio;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        yield return _answer;
        yield return new ModelDelta.Usage(request.Messages.Count, (options.Answer.Length + 3) / 4);
    }
}
