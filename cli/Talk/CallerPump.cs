using System.Diagnostics;
using System.Runtime.InteropServices;
using VoiceGrains.Cli.Audio;
using VoiceGrains.Cli.Calls;

namespace VoiceGrains.Cli.Talk;

/// <summary>Sends the caller's side at real time, 20 ms at a time, and keeps it. The pace is that of the clock, not of the timer: a late tick is caught up with.</summary>
internal sealed class CallerPump(CallSocket socket, ICallerSource source, SpeechMeter meter, int sampleRateHz, long startTimestamp)
{
    private const int FrameMs = 20;
    private readonly Track spoken = new();
    private long lastSpeech;

    /// <summary><see cref="Stopwatch.GetTimestamp"/> of the end of the last frame with speech in it; 0 before the first.</summary>
    public long LastSpeech => Volatile.Read(ref lastSpeech);

    /// <summary>Everything sent. Only after <see cref="RunAsync"/> has ended.</summary>
    public ReadOnlySpan<short> Spoken => spoken.Samples;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var frame = new short[sampleRateHz * FrameMs / 1000];
        var bytes = new byte[frame.Length * sizeof(short)];
        for (var sent = 0; !cancellationToken.IsCancellationRequested; sent++)
        {
            var due = TimeSpan.FromMilliseconds(sent * FrameMs) - Stopwatch.GetElapsedTime(startTimestamp);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            source.Read(frame);
            if (meter.IsSpeech(frame))
                Volatile.Write(ref lastSpeech, Stopwatch.GetTimestamp());
            spoken.Append(spoken.Length, frame);
            MemoryMarshal.AsBytes<short>(frame).CopyTo(bytes);
            await socket.SendAudioAsync(bytes, CancellationToken.None);
        }
    }
}
