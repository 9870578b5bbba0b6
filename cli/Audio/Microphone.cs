using System.Diagnostics;
using System.Runtime.InteropServices;

namespace VoiceGrains.Cli.Audio;

/// <summary>The machine's microphone through <c>arecord</c>. Speech waits here at most 200 ms; what is older is dropped.</summary>
internal sealed class Microphone : ICallerSource
{
    private readonly Lock gate = new();
    private readonly Process recorder;
    private readonly Queue<short> waiting = new();
    private readonly int mostWaiting;

    /// <exception cref="CliException">There is no <c>arecord</c>, or no microphone.</exception>
    public Microphone(int sampleRateHz)
    {
        mostWaiting = sampleRateHz / 5;
        recorder = AlsaTool.Start("arecord", sampleRateHz, ["--buffer-time=80000", "--period-time=20000"], input: false);
        new Thread(ReadAll) { IsBackground = true, Name = "microphone" }.Start();
    }

    public void Read(Span<short> frame)
    {
        lock (gate)
        {
            for (var i = 0; i < frame.Length; i++)
                frame[i] = waiting.TryDequeue(out var sample) ? sample : (short)0;
        }
    }

    public void Dispose() => AlsaTool.Stop(recorder);

    private void ReadAll()
    {
        var buffer = new byte[640];
        var stream = recorder.StandardOutput.BaseStream;
        while (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) == buffer.Length)
        {
            lock (gate)
            {
                foreach (var sample in MemoryMarshal.Cast<byte, short>(buffer))
                    waiting.Enqueue(sample);
                while (waiting.Count > mostWaiting)
                    waiting.Dequeue();
            }
        }
    }
}
