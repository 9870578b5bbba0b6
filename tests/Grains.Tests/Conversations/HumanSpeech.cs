using VoiceGrains.Media;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Recorded speech of Debian's pocketsphinx-testdata: "go forward ten meters", 16 kHz.</summary>
internal static class HumanSpeech
{
    private const string Path = "/usr/share/pocketsphinx/test/data/goforward.raw";

    public static short[] GoForward { get; } = Load();

    /// <summary>The recording from its first word on, repeated without its pauses until it is as long as asked.</summary>
    public static short[] Voiced(int rateHz, TimeSpan duration)
    {
        var vad = new VoiceActivityDetector();
        var loud = new List<short>();
        foreach (var frame in GoForward.Chunk(512))
        {
            if (frame.Length == 512 && vad.Process(frame) >= 0.5 && Pcm.Dbfs(frame) > -35) loud.AddRange(frame);
        }
        var samples = (int)(duration.TotalSeconds * 16_000);
        while (loud.Count < samples) loud.AddRange(loud.ToArray());
        return At(rateHz, [.. loud.Take(samples)]);
    }

    public static short[] At(int rateHz, short[] pcm)
    {
        if (rateHz == 16_000) return pcm;
        using var resampler = new Resampler(16_000, rateHz);
        var output = new short[resampler.MaxOutput(pcm.Length) + resampler.MaxDrain];
        var length = resampler.Process(pcm, output);
        length += resampler.Drain(output.AsSpan(length));
        return output[..length];
    }

    private static short[] Load()
    {
        Assert.True(File.Exists(Path), $"{Path} is missing: install Debian's pocketsphinx-testdata.");
        var bytes = File.ReadAllBytes(Path);
        var pcm = new short[bytes.Length / 2];
        Pcm.FromBytes(bytes, pcm);
        return pcm;
    }
}
