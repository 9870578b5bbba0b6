using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Silo.WebSockets;

/// <summary>A <see cref="WebSocketMedium"/> with its documented defaults applied.</summary>
internal sealed record WebSocketPortOptions(int InputSampleRateHz, int OutputSampleRateHz, TimeSpan ClientBuffer, bool SendsClearBuffer)
{
    private const int DefaultBufferMs = 60;
    // Less than a frame's length would leave gaps between frames.
    private const int LeastBufferMs = 20;
    // The recording takes sound up to 35 s before it is heard.
    private const int MostBufferMs = 30_000;

    public static WebSocketPortOptions From(WebSocketMedium medium)
    {
        var input = medium.InputSampleRate ?? 16_000;
        var buffer = Math.Clamp(medium.ClientBufferSizeMs ?? DefaultBufferMs, LeastBufferMs, MostBufferMs);
        return new(input, medium.OutputSampleRate ?? input, TimeSpan.FromMilliseconds(buffer), medium.DataMessages?.PlaybackClearBuffer ?? true);
    }
}
