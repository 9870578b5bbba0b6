using System.Runtime.CompilerServices;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>
/// A small deterministic stand-in for a language model, so that everything runs offline. It is not an LLM: it follows rules written into the prompt
/// and otherwise greets, repeats and calls tools that the user names (docs/rules-model.md).
/// </summary>
public sealed class RulesLanguageModel(RulesModelOptions options, TimeProvider clock) : ILanguageModel
{
    private const int CharactersPerToken = 4;

    /// <summary>False: rules compare words.</summary>
    public bool AcceptsAudio => false;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = RuleBook.Answer(request);
        await WaitAsync(options.FirstWordDelay, cancellationToken).ConfigureAwait(false);
        var written = 0;
        var most = request.MaxOutputTokens is { } tokens ? tokens * CharactersPerToken : int.MaxValue;
        foreach (var word in SplitKeepingSpaces(answer.Text))
        {
            if (written + word.Length > most) break;
            if (written > 0) await WaitAsync(options.WordDelay, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            written += word.Length;
            yield return new ModelDelta.Text(word);
        }
        foreach (var (tool, arguments) in answer.Calls)
        {
            written += tool.Length + arguments.Length;
            yield return new ModelDelta.ToolCall($"call_{Guid.NewGuid():N}", tool, arguments);
        }
        yield return new ModelDelta.Usage(Tokens(CountInput(request)), Tokens(written));
    }

    private static IEnumerable<string> SplitKeepingSpaces(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var space = text.IndexOf(' ', start);
            var end = space < 0 ? text.Length : space + 1;
            yield return text[start..end];
            start = end;
        }
    }

    private static int CountInput(ModelRequest request) => (request.SystemPrompt?.Length ?? 0) + request.Messages.Sum(m => m.Text.Length);

    private static int Tokens(int characters) => (characters + CharactersPerToken - 1) / CharactersPerToken;

    private Task WaitAsync(TimeSpan delay, CancellationToken cancellationToken)
        => delay > TimeSpan.Zero ? Task.Delay(delay, clock, cancellationToken) : Task.CompletedTask;
}
