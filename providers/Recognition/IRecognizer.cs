namespace VoiceGrains.Providers.Recognition;

/// <summary>Turns a user's turns into text.</summary>
public interface IRecognizer
{
    /// <summary>Begins one turn. Never blocks: engines with a bounded number of decoders queue the audio until one is free.</summary>
    IRecognition Start(RecognitionOptions options);
}

/// <param name="LanguageHint">BCP 47 code or null.</param>
/// <param name="OnPartial">Called with the whole text so far whenever it changes, from any thread; null when nobody wants partials.</param>
public sealed record RecognitionOptions(string? LanguageHint, Action<string>? OnPartial);

/// <summary>One turn being recognized. Write, then finish once; disposing earlier throws the turn away.</summary>
public interface IRecognition : IAsyncDisposable
{
    /// <summary>Adds 16 kHz mono PCM, copied before returning. Never blocks; past the recognizer's bound (at least 60 s) the newest audio is dropped and counted.</summary>
    void Write(ReadOnlySpan<short> pcm);

    /// <summary>Ends the turn and gives its text, empty where nothing was understood.</summary>
    /// <exception cref="ProviderException">The recognizer failed.</exception>
    Task<string> FinishAsync(CancellationToken cancellationToken);
}
