using System.Runtime.InteropServices;
using VoiceGrains.Media;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>What people said, from Debian's pocketsphinx-testdata, at any rate.</summary>
internal static class HumanSpeech
{
    private const string Data = "/usr/share/pocketsphinx/test/data";
    private const int RateHz = 16_000;

    /// <summary>"go forward ten meters"</summary>
    public static short[] GoForward(int rateHz = RateHz) => At(rateHz, Raw($"{Data}/goforward.raw"));

    /// <summary>The same from its first sound to its last, without the room's noise around it: one turn for sure, which begins at once.</summary>
    public static short[] OneTurn(int rateHz = RateHz) => At(rateHz, Raw($"{Data}/goforward.raw")[8_000..35_500]);

    public static short[] At(int rateHz, short[] pcm, int fromHz = RateHz)
    {
        if (rateHz == fromHz) return pcm;
        using var resampler = new Resampler(fromHz, rateHz);
        var output = new short[resampler.MaxOutput(pcm.Length) + resampler.MaxDrain];
        var length = resampler.Process(pcm, output);
        length += resampler.Drain(output.AsSpan(length));
        return output[..length];
    }

    private static short[] Raw(string path)
    {
        Assert.SkipUnless(File.Exists(path), "The Debian package pocketsphinx-testdata is not installed.");
        return MemoryMarshal.Cast<byte, short>(File.ReadAllBytes(path)).ToArray();
    }
}
