using System.Runtime.InteropServices;

namespace VoiceGrains.Media.Tests.Speech;

/// <summary>The speech probability of libspeexdsp's preprocessor, the yardstick that every Debian machine has.</summary>
internal static unsafe partial class SpeexVad
{
    private const int GetProbability = 45;      // speex_preprocess.h
    private const int Frame = VoiceActivityDetector.FrameSamples;

    public static float[] Probabilities(short[] pcm)
    {
        var state = Init(Frame, VoiceActivityDetector.SampleRateHz);
        var value = 0;
        var probabilities = new List<float>();
        foreach (var frame in pcm.Chunk(Frame).Where(f => f.Length == Frame))
        {
            fixed (short* samples = frame)
                Run(state, samples);
            Control(state, GetProbability, ref value);
            probabilities.Add(value / 100f);
        }
        Destroy(state);
        return [.. probabilities];
    }

    [LibraryImport("libspeexdsp.so.1", EntryPoint = "speex_preprocess_state_init")]
    private static partial nint Init(int frameSize, int sampleRateHz);

    [LibraryImport("libspeexdsp.so.1", EntryPoint = "speex_preprocess_state_destroy")]
    private static partial void Destroy(nint state);

    [LibraryImport("libspeexdsp.so.1", EntryPoint = "speex_preprocess_run")]
    private static partial int Run(nint state, short* samples);

    [LibraryImport("libspeexdsp.so.1", EntryPoint = "speex_preprocess_ctl")]
    private static partial int Control(nint state, int request, ref int value);
}
