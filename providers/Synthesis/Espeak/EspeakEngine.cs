using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>Speaks phrases with this process' one espeak-ng. Runs in the worker process only: see <see cref="EspeakWorker"/>.</summary>
internal sealed class EspeakEngine(EspeakOptions options) : IPhraseEngine
{
    public void Speak(PhraseJob job)
    {
        lock (EspeakLibrary.Gate)
        {
            EspeakLibrary.Open();
            var sound = new EspeakSound(job, EspeakLibrary.SampleRateHz);
            EspeakLibrary.Speak(Voice(job), options, job.Text, sound);
            sound.Deliver();
        }
    }

    public void Dispose()
    {
        // The library stays open: see EspeakLibrary.
    }

    /// <summary>The name goes into a file name inside the library, and tenants choose it: only letters, digits, '-', '_' and one '+' pass.</summary>
    private string Voice(PhraseJob job)
    {
        var name = job.Voice.Length > 0 ? job.Voice : FromLanguage(job.Language) ?? options.DefaultVoice;
        if (name.Length > 40 || name.Count(c => c == '+') > 1 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '+'))
            throw new ProviderException(EspeakSynthesizer.ProviderName, ProviderFault.Rejected, "An espeak-ng voice is a language such as 'en-us', and perhaps '+' and a variant such as 'f3'.");
        return name;
    }

    private static string? FromLanguage(string? language)
    {
        if (string.IsNullOrEmpty(language))
            return null;
        var code = language.ToLowerInvariant();
        var voices = EspeakLibrary.ListVoices();
        return voices.Find(voice => voice.Name == code)?.Name
            ?? voices.Find(voice => voice.Name == code.Split('-')[0])?.Name
            ?? voices.Find(voice => voice.Name.StartsWith(code.Split('-')[0] + "-", StringComparison.Ordinal))?.Name;
    }
}
