using System.Runtime.InteropServices;
using VoiceGrains.Cli.Audio;

namespace VoiceGrains.Cli.Load;

/// <summary>Speech and a pause as an endless loop of 20 ms frames, shared by all callers. Immutable.</summary>
internal sealed class SpeechLoop
{
    public const int FrameMs = 20;
    private readonly byte[] bytes;
    private readonly int frameBytes;

    public SpeechLoop(CallerAudio speech, TimeSpan pause)
    {
        var frameSamples = speech.SampleRateHz * FrameMs / 1000;
        frameBytes = frameSamples * sizeof(short);
        Frames = (speech.Samples.Length + frameSamples - 1) / frameSamples + (int)(pause.TotalMilliseconds / FrameMs);
        var samples = new short[Frames * frameSamples];
        speech.Samples.CopyTo(samples, 0);
        var meter = new SpeechMeter(speech.Samples, frameSamples);
        for (var frame = 0; frame < Frames; frame++)
        {
            if (meter.IsSpeech(samples.AsSpan(frame * frameSamples, frameSamples)))
                LastSpeechFrame = frame;
        }
        bytes = MemoryMarshal.AsBytes<short>(samples).ToArray();
    }

    /// <summary>Length of one round.</summary>
    public int Frames { get; }

    /// <summary>The frame of a round in which the caller's words end.</summary>
    public int LastSpeechFrame { get; }

    /// <param name="index">Counted from the start of the call; wraps.</param>
    public ReadOnlyMemory<byte> Frame(int index) => bytes.AsMemory(index % Frames * frameBytes, frameBytes);
}
