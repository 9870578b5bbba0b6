using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Voices.Cloning;

/// <summary>A recording to clone a voice from, checked as far as that can be done here.</summary>
/// <param name="Bytes">The file as it came.</param>
/// <param name="Extension">Its kind: <c>wav</c> or <c>mp3</c>.</param>
public sealed record VoiceSample(byte[] Bytes, string Extension)
{
    /// <summary>Of full scale: about -50 dB. What never rises above it is a microphone that was off.</summary>
    private const int Silence = 100;

    public string ContentType => Extension == "wav" ? "audio/wav" : "audio/mpeg";

    /// <summary>WAV is read whole; of MP3 the start is looked at, and the provider judges the rest.</summary>
    /// <exception cref="InvalidInputException">It is neither, or too short, too long, of too low a rate or silent.</exception>
    public static VoiceSample Read(byte[] file, OwnVoiceOptions options)
    {
        if (file.AsSpan().StartsWith("RIFF"u8))
        {
            CheckWav(file, options);
            return new(file, "wav");
        }
        if (IsMp3(file)) return new(file, "mp3");
        throw Refused("The file must be WAV or MP3 audio.");
    }

    private static void CheckWav(byte[] file, OwnVoiceOptions options)
    {
        if (!WavReader.TryParse(file, new WavLimits { MaxDuration = options.MaxSampleLength }, out var sound, out var error))
            throw Refused(error.Fault switch
            {
                WavFault.TooLong => $"The recording must be at most {options.MaxSampleLength.TotalSeconds:0} s long.",
                WavFault.UnsupportedEncoding => "The WAV file's encoding is not supported. Use PCM, float, mu-law or A-law.",
                _ => "The WAV file is damaged or incomplete.",
            });
        if (sound!.SampleRateHz < options.MinSampleRateHz)
            throw Refused($"The recording's sample rate must be at least {options.MinSampleRateHz} Hz; it is {sound.SampleRateHz} Hz.");
        if (sound.Duration < options.MinSampleLength)
            throw Refused(FormattableString.Invariant($"The recording must be at least {options.MinSampleLength.TotalSeconds:0.#} s long; it is {sound.Duration.TotalSeconds:0.0} s."));
        if (!sound.Samples.AsSpan().ContainsAnyExceptInRange<short>(-Silence, Silence)) throw Refused("The recording is silent.");
    }

    /// <summary>An ID3v2 tag, or the first frame's sync word with a layer and bit rate that exist (ISO 11172-3 §2.4.2.3).</summary>
    private static bool IsMp3(ReadOnlySpan<byte> file)
        => file.StartsWith("ID3"u8)
           || (file.Length > 3 && file[0] == 0xFF && (file[1] & 0xE0) == 0xE0 && (file[1] & 0x06) == 0x02 && (file[1] & 0x18) != 0x08 && (file[2] & 0xF0) is not (0xF0 or 0));

    private static InvalidInputException Refused(string why) => new("file", why);
}

/// <param name="Name">At most 40 characters.</param>
/// <param name="Description">Null for one that tells when it was made.</param>
/// <param name="Language">BCP 47 code of the recording.</param>
public sealed record CloneDraft(string Name, string? Description, string Language);
