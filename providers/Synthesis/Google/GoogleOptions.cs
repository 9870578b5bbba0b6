using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Google;

/// <summary>Section <c>ExternalVoices:Google</c>.</summary>
public sealed class GoogleOptions : ExternalProviderOptions
{
    /// <summary>Its answers hold a whole sentence: <see cref="ExternalProviderOptions.MaxMessageBytes"/> is 32 MiB here, over four minutes at 48 kHz.</summary>
    public GoogleOptions() : base("https://texttospeech.googleapis.com") => MaxMessageBytes = 32 * 1024 * 1024;

    /// <summary>For whom the account's key signs its tokens. Default <c>https://texttospeech.googleapis.com/</c>, also behind a proxy of yours.</summary>
    public string Audience { get; set; } = "https://texttospeech.googleapis.com/";
}
