using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Flite;

/// <summary>
/// The embedded English synthesizer: flite in process. A worker process would survive a crash of the library, at the price of a copy of each
/// chunk, a second runtime and a start-up delay. We chose in process because what reaches flite is tame (printable ASCII, words of at most
/// 60 characters, phrases of at most 300), the library neither writes outside its own allocations nor exits on such text in our fuzz tests, and each
/// thread has voices of its own (see <see cref="FliteVoice"/>). English only: other scripts are left out, accents are dropped.
/// </summary>
public sealed class FliteSynthesizer : ISynthesizer, IDisposable, IAsyncDisposable
{
    internal const string ProviderName = "flite";
    private readonly PhraseWorkers workers;
    private readonly PhraseSpeaker speaker;

    /// <summary>Loads nothing yet; threads and voices come with the first phrases, within milliseconds.</summary>
    public FliteSynthesizer(FliteOptions options, ILoggerFactory loggers)
    {
        workers = new(ProviderName, options.MaxThreads, options.MaxQueuedPhrases, () => new FliteEngine(options), loggers.CreateLogger<FliteSynthesizer>());
        speaker = new(workers, SpokenText.Ascii, options.SentencePause, options.ClausePause);
    }

    /// <summary>The voices' names.</summary>
    public static IReadOnlyList<string> Voices => FliteVoice.Names;

    /// <summary>Whether flite is installed.</summary>
    /// <param name="why">What is missing and which Debian package has it; empty when nothing is.</param>
    public bool IsAvailable(out string why)
    {
        why = NativeLibrary.TryLoad(FliteNative.Library, out _) && NativeLibrary.TryLoad("libflite_cmu_us_slt.so.1", out _)
            ? "" : "libflite.so.1 is missing: install the Debian package libflite1.";
        return why.Length == 0;
    }

    /// <summary>
    /// Speaks at the voice's own rate (16 kHz; <c>kal</c> 8 kHz) with exact word timings, in chunks of about 100 ms. A word is a token of the text with its
    /// punctuation; a number is one word. Text with nothing speakable gives no chunk.
    /// </summary>
    /// <exception cref="ProviderException"><see cref="ProviderFault.Rejected"/>: unknown voice. <see cref="ProviderFault.RateLimited"/>: the queue is full.
    /// <see cref="ProviderFault.Unavailable"/>: flite is not installed, or is shutting down.</exception>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => speaker.SpeakAsync(request, text, cancellationToken);

    /// <summary>Stops the threads; utterances still running end with <see cref="ProviderFault.Unavailable"/>. Waits at most 2 s.</summary>
    public void Dispose() => workers.Dispose();

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
        => await Task.Factory.StartNew(Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
