using VoiceGrains.Providers.Recognition;

namespace VoiceGrains.Providers.Scripted;

/// <summary>Hears the configured words in any turn that holds sound.</summary>
public sealed class ScriptedRecognizer(ScriptedOptions options) : IRecognizer
{
    /// <inheritdoc/>
    public IRecognition Start(RecognitionOptions recognitionOptions) => new Turn(options.Transcript);

    private sealed class Turn(string transcript) : IRecognition
    {
        private bool _hasSound;

        public void Write(ReadOnlySpan<short> pcm) => _hasSound |= !pcm.IsEmpty;

        public Task<string> FinishAsync(CancellationToken cancellationToken)
            => cancellationToken.IsCancellationRequested ? Task.FromCanceled<string>(cancellationToken) : Task.FromResult(_hasSound ? transcript : "");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
