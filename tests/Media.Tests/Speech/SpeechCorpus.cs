namespace VoiceGrains.Media.Tests.Speech;

/// <summary>Human speech from Debian's pocketsphinx-testdata and alsa-utils, 16 kHz mono.</summary>
internal static class SpeechCorpus
{
    private const string PocketSphinx = "/usr/share/pocketsphinx/test/data";
    private const string Alsa = "/usr/share/sounds/alsa";
    private const int RateHz = VoiceActivityDetector.SampleRateHz;

    private static readonly Lazy<IReadOnlyList<Recording>> s_recordings = new(ReadAll);

    public static IReadOnlyList<Recording> Load()
    {
        if (!Directory.Exists(PocketSphinx) || !Directory.Exists(Alsa))
            Assert.Skip("Needs the Debian packages pocketsphinx-testdata and alsa-utils.");
        return s_recordings.Value;
    }

    private static IReadOnlyList<Recording> ReadAll()
    {
        var raw = new[] { "goforward.raw", "something.raw", "numbers.raw" }
            .Select(name => new Recording(name, FromBytes(File.ReadAllBytes($"{PocketSphinx}/{name}"))));
        var wav = new[] { $"{PocketSphinx}/cards", $"{PocketSphinx}/librivox", Alsa }
            .SelectMany(folder => Directory.GetFiles(folder, "*.wav").Order())
            .Where(file => !file.EndsWith("Noise.wav"))
            .Select(file => new Recording(Path.GetFileName(file), ReadWav(file)));
        return [.. raw, .. wav];
    }

    public static short[] Resample(short[] pcm, int from, int to)
    {
        using var resampler = new Resampler(from, to);
        var output = new short[resampler.MaxOutput(pcm.Length) + resampler.MaxDrain];
        var written = resampler.Process(pcm, output);
        written += resampler.Drain(output.AsSpan(written));
        return output[..written];
    }

    private static short[] ReadWav(string file)
    {
        var audio = WavReader.Parse(File.ReadAllBytes(file));
        return Resample(audio.Samples, audio.SampleRateHz, RateHz);
    }

    private static short[] FromBytes(byte[] bytes)
    {
        var pcm = new short[bytes.Length / 2];
        Pcm.FromBytes(bytes, pcm);
        return pcm;
    }
}

/// <summary>A clean recording, and what is speech in it, judged with hindsight by level alone.</summary>
internal sealed record Recording(string Name, short[] Samples)
{
    private const int Frame = VoiceActivityDetector.FrameSamples;

    /// <summary>Level of each frame above 100 Hz, dBFS: what a hand does to a microphone is no speech.</summary>
    public double[] Levels { get; } = [.. HighPass(Samples).Chunk(Frame).Where(f => f.Length == Frame).Select(f => Pcm.Dbfs(f))];

    /// <summary>Level that 95 % of frames stay below.</summary>
    public double Loud => Levels.Order().ElementAt(Levels.Length * 95 / 100);

    /// <summary>Level of the background.</summary>
    public double Quiet => Levels.Order().ElementAt(Levels.Length * 5 / 100);

    /// <summary>Frames that anyone would call speech: within 25 dB of the loud ones and well above the background.</summary>
    public bool IsSpeech(int frame) => Levels[frame] > Loud - 25 && Levels[frame] > Quiet + 12;

    /// <summary>Frames that hold nothing but background, nor do their neighbours.</summary>
    public bool IsPause(int frame) => Enumerable.Range(frame - 1, 3).All(f => f < 0 || f >= Levels.Length || Levels[f] < Quiet + 4);

    /// <summary>Four first-order sections at 60 Hz: 3 dB down at about 140 Hz, 24 dB per octave below.</summary>
    private static short[] HighPass(short[] samples)
    {
        var signal = samples.Select(s => (double)s).ToArray();
        for (var section = 0; section < 4; section++)
        {
            var (input, output) = (0.0, 0.0);
            for (var i = 0; i < signal.Length; i++)
            {
                output = 0.977 * (output + signal[i] - input);
                (input, signal[i]) = (signal[i], output);
            }
        }
        return [.. signal.Select(s => Pcm.Saturate((float)s))];
    }
}
