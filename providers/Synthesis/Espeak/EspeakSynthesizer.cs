using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>
/// The embedded synthesizer for many languages: espeak-ng in warm worker processes. Version 1.51, Debian 12's, uses freed memory when a text switches
/// between scripts within a word, which crashed one in some thousand random texts; and it has global state, so a process speaks one text at a time.
/// A worker that dies is replaced and its phrase tried once more; the calls next to it notice nothing.
/// </summary>
public sealed class EspeakSynthesizer : ISynthesizer, IDisposable, IAsyncDisposable
{
    internal const string ProviderName = "espeak";
    private readonly PhraseWorkers workers;
    private readonly PhraseSpeaker speaker;

    /// <summary>Starts nothing yet: a worker comes with the first phrase, in about 100 ms.</summary>
    public EspeakSynthesizer(EspeakOptions options, ILoggerFactory loggers)
    {
        workers = new(ProviderName, options.MaxWorkers, options.MaxQueuedPhrases, () => new EspeakClient(options), loggers.CreateLogger<EspeakSynthesizer>());
        speaker = new(workers, SpokenText.Unicode, options.SentencePause, options.ClausePause);
    }

    /// <summary>Whether espeak-ng is installed.</summary>
    /// <param name="why">What is missing and which Debian package has it; empty when nothing is.</param>
    public bool IsAvailable(out string why)
    {
        why = NativeLibrary.TryLoad(EspeakNative.Library, out _) ? "" : "libespeak-ng.so.1 is missing: install the Debian package libespeak-ng1.";
        return why.Length == 0;
    }

    /// <summary>The installation's voices, one for each language and dialect. Reads the voice files once in this process; for start-up and catalogues.</summary>
    /// <exception cref="ProviderException"><see cref="ProviderFault.Unavailable"/>: espeak-ng is not installed.</exception>
    public IReadOnlyList<EspeakVoice> ListVoices()
    {
        lock (EspeakLibrary.Gate)
        {
            EspeakLibrary.Open();
            return EspeakLibrary.ListVoices();
        }
    }

    /// <summary>
    /// Speaks at 22050 Hz with word timings (to about 5 ms), in chunks of 200 ms. The voice is a language with an optional variant (<c>de</c>,
    /// <c>en-us+f3</c>); empty, the language hint or the default decides. Text with nothing speakable gives no chunk.
    /// </summary>
    /// <exception cref="ProviderException"><see cref="ProviderFault.Rejected"/>: unknown voice. <see cref="ProviderFault.RateLimited"/>: the queue is full.
    /// <see cref="ProviderFault.Unavailable"/>: espeak-ng is not installed, or is shutting down.</exception>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => speaker.SpeakAsync(request, text, cancellationToken);

    /// <summary>Stops the workers; utterances still running end with <see cref="ProviderFault.Unavailable"/>. Waits at most 2 s.</summary>
    public void Dispose() => workers.Dispose();

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
        => await Task.Factory.StartNew(Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
